"""Runs another script of this folder on a quieter network: python _quiet.py SHARE SCRIPT.py ...; only a share of the neurons, evenly spread, is
driven, the others start and stay at rest but for what their neighbours send."""
import runpy, sys
from pathlib import Path
import _loihi_net
share, script = float(sys.argv[1]), sys.argv[2]
sys.argv[:] = sys.argv[2:]
loud = _loihi_net.Net.__init__


def quiet(self, N, K, seed):
    import numpy as np
    loud(self, N, K, seed)
    k = np.arange(N)
    rest = np.floor((k + 1) * share) == np.floor(k * share)
    self.bias_mant[rest] = self.v0[rest] = 0


_loihi_net.Net.__init__ = quiet
runpy.run_path(str(Path(__file__).with_name(script)), run_name="__main__")
