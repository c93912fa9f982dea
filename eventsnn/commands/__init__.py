"""The commands of `eventsnn`, by what they are about; `cli.py` names them all."""
