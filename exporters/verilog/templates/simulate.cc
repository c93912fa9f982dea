// simulate: the testbench again for CXXRTL, that is, from nothing but yosys and a C++ compiler.
//
//   simulate [pressure] [seed] [reset at clock]      see testbench.v; reads stimulus.hex, writes spikes.csv
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <vector>
#include "core.cc"

static const long TICKS = $ticks;
#ifdef MUTANTS
static const long LIMIT = 30000, LONGEST = 80000;
#else
static const long LIMIT = 4000000, LONGEST = 1L << 62;
#endif
static const int ARGUMENT = $argument;

static uint32_t state;
static uint32_t draw() {                 // xorshift
    state ^= state << 13;
    state ^= state >> 17;
    state ^= state << 5;
    return state % 256;
}

int main(int argc, char **argv) {
    uint32_t pressure = argc > 1 ? atoi(argv[1]) : 0;
    state = argc > 2 ? atoi(argv[2]) + 1u : 1u;
    long reset = argc > 3 ? atol(argv[3]) : -1;
    std::vector<uint32_t> words;
    FILE *in = fopen("stimulus.hex", "r"), *out = fopen("spikes.csv", "w");
    unsigned word;
    if (!in || !out) return 2;
    while (fscanf(in, "%x", &word) == 1) words.push_back(word);
    fprintf(out, "tick,neuron\n");

    cxxrtl_design::p_top top;
#ifdef MUTANTS                           // a circuit with mutations that are selected by number (benchmarks/rtl.py)
    top.p_mutsel.set<uint32_t>(argc > 4 ? atoi(argv[4]) : 0);
#endif
    size_t at = 0;
    long ended = 0, since = 0, cycle = 0;
    for (; ended <= TICKS; cycle++) {
        bool rst = cycle < 4 || (reset >= 0 && cycle >= reset && cycle < reset + 3);
        if (rst && reset >= 0 && cycle == reset) {
            at = 0;
            ended = 0;
            out = freopen("spikes.csv", "w", out);
            fprintf(out, "tick,neuron\n");
        }
        bool send = draw() >= pressure && at < words.size() && !rst, take = draw() >= pressure && !rst;
        uint32_t given = at < words.size() ? words[at] : 0;
        top.p_clk.set<bool>(false);
        top.p_rst.set<bool>(rst);
        top.p_in__valid.set<bool>(send);
        top.p_in__word.set<uint32_t>((given >> 30 << ARGUMENT) | (given & ((1u << ARGUMENT) - 1)));
        top.p_out__ready.set<bool>(take);
        top.step();
        if (send && top.p_in__ready.get<bool>()) at++;
        if (take && top.p_out__valid.get<bool>()) {
            uint32_t said = top.p_out__word.get<uint32_t>();
            since = cycle;
            if (said >> ARGUMENT == 1) ended++;
            else if (ended - 1 < TICKS) fprintf(out, "%ld,%u\n", ended - 1, said & ((1u << ARGUMENT) - 1));
        }
        top.p_clk.set<bool>(true);
        top.step();
        if (cycle - since > LIMIT || cycle > LONGEST) {
            printf("STUCK at word %zu tick %ld\n", at, ended);
            return 1;
        }
    }
    fclose(out);
    printf("DONE cycles %ld\n", cycle);
    return 0;
}
