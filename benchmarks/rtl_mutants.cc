// rtl_mutants: the vectors against a circuit whose mutations are selected by number (rtl_mutants.py).
//
//   rtl_mutants pressure seed reset mutant clocks      resets at every `reset` clocks, 36 times (-1: never); reads stimulus.hex, expected.csv, v.txt
//
// Says, and ends with 1 at the first difference: "spikes" and "V" differ from the emulator's, "ends" not, or takes other
// "clocks" than the circuit without a mutation (clocks = 0: is not looked at).  Else "equal CLOCKS".
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <vector>
#include "core.cc"

static uint32_t state;
static uint32_t draw() {                 // xorshift
    state ^= state << 13;
    state ^= state >> 17;
    state ^= state << 5;
    return state % 256;
}

static int differs(const char *what, long cycle) {
    printf("%s at clock %ld\n", what, cycle);
    return 1;
}

struct Spike { long tick, neuron; };

int main(int argc, char **argv) {
    if (argc < 6) return 2;
    uint32_t pressure = atoi(argv[1]);
    state = atoi(argv[2]) + 1u;
    long reset = atol(argv[3]), clocks = atol(argv[5]), ticks, neurons, wide, word;
    std::vector<uint32_t> words;
    std::vector<Spike> expected;
    FILE *in = fopen("stimulus.hex", "r"), *spikes = fopen("expected.csv", "r"), *table = fopen("v.txt", "r");
    if (!in || !spikes || !table) return 2;
    while (fscanf(in, "%lx", &word) == 1) {
        if (words.size() % 41 == 40) words.push_back(0xc0000000u | (words.size() & 15));         // no word, but swallowed
        if (words.size() % 53 == 50) words.push_back(0x80000000u);                               // TIME 0: nothing passes
        words.push_back(word == 0x40000000 && words.size() % 7 == 3 ? 0x80000001u : word);       // TIME 1: END_OF_TICK
    }
    if (fscanf(spikes, "tick,neuron")) return 2;
    for (Spike s; fscanf(spikes, "%ld,%ld", &s.tick, &s.neuron) == 2;) expected.push_back(s);
    if (fscanf(table, "%ld %ld %ld %ld", &ticks, &neurons, &wide, &word) != 4) return 2;    // word: bits of an argument
    int argument = word, age = 0;
    std::vector<long> v(ticks * neurons);
    for (long &x : v) if (fscanf(table, "%ld", &x) != 1) return 2;

    cxxrtl_design::p_top top;
    if (atoi(argv[4])) top.p_mutsel.set<uint32_t>(atoi(argv[4]));
    age = top.p_core_2e_sweep_2e_store__word.bits - wide;
    size_t at = 0, heard = 0;
    long ended = 0, judged = 0, since = 0, cycle = 0;
    long next = reset, times = 0, until = 4;                   // resets of one, two, three clocks, a dozen of each
    for (; ended <= ticks; cycle++) {
        if (cycle == next && times < 36) {
            until = cycle + 1 + times % 3;
            next = cycle + reset + 7 * ++times;
        }
        bool rst = cycle < until;
        if (rst) at = heard = ended = judged = 0;
        bool send = draw() >= pressure && at < words.size() && !rst, take = draw() >= pressure && !rst;
        uint32_t given = at < words.size() ? words[at] : 0;
        top.p_clk.set<bool>(false);
        top.p_rst.set<bool>(rst);
        top.p_in__valid.set<bool>(send);
        top.p_in__word.set<uint32_t>((given >> 30 << argument) | (given & ((1u << argument) - 1)));
        top.p_out__ready.set<bool>(take);
        top.step();
        if (send && top.p_in__ready.get<bool>()) at++;
        if (!rst && top.p_core_2e_sweep_2e_store.get<bool>() && !top.p_core_2e_sweep_2e_q__scrub.get<bool>() && judged < ticks) {
            uint64_t stored = top.p_core_2e_sweep_2e_store__word.get<uint64_t>() >> age;
            long neuron = top.p_core_2e_sweep_2e_store__neuron.get<uint32_t>();
            if (neuron >= neurons || stored != (uint64_t(v[judged * neurons + neuron]) & ((1ull << wide) - 1)))
                return differs("V", cycle);
        }
        if (!rst && top.p_core_2e_judged.get<bool>()) judged++;
        if (take && top.p_out__valid.get<bool>()) {
            uint32_t said = top.p_out__word.get<uint32_t>(), neuron = said & ((1u << argument) - 1);
            since = cycle;
            if (said >> argument == 1) {
                if (heard < expected.size() && ended > 0 && expected[heard].tick < ended) return differs("spikes", cycle);
                if (neuron) return differs("spikes", cycle);
                ended++;
            } else if (said >> argument != 0) {
                return differs("spikes", cycle);
            } else if (ended - 1 < ticks) {
                if (heard >= expected.size() || expected[heard].tick != ended - 1 || expected[heard].neuron != neuron)
                    return differs("spikes", cycle);
                heard++;
            }
        }
        top.p_clk.set<bool>(true);
        top.step();
        if (cycle - since > 20000) return differs("ends", cycle);
    }
    if (heard != expected.size()) return differs("spikes", cycle);
    if (clocks && cycle != clocks) return differs("clocks", cycle);
    printf("equal %ld\n", cycle);
    return 0;
}
