/* eventsnn: the loop of one exported network.  Include its tables (network.h) first; for several networks in one program
   include each one's tables and then this file again: all names begin with EVENTSNN_NAME.  No include guard, on purpose.

       static struct digits_state net;
       digits_init(&net);
       digits_spike(&net, source, 1);            a source spikes at the tick that comes next, net.now
       digits_step(&net, spiked, to);            that tick: spiked(to, neuron, count) for each neuron that spikes
       digits_v(&net, neuron)                    V after it, in LSBs above rest
       if (digits_idle(&net)) digits_skip(&net, tick);     nothing is under way: go on at that tick

   Emitters 0 .. neurons - 1 are the neurons, the sources follow.  net.saturations counts how often a register stopped
   at a rail. */

#include EVENTSNN_LOOP                                  /* the mode's, or the chip's */
