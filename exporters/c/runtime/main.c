/* Replays the recorded stimulus of this folder's network: see replay.h. */

#include "eventsnn_types.h"
#include "say.h"

#include "network.h"

#include "eventsnn.h"

#include "stimulus.h"

#include "replay.h"

static struct EVENTSNN(state) net;

int main(void)
{
    bool whole = EVENTSNN(replay)(&net);

    say_flush();
    return whole ? 0 : 1;
}
