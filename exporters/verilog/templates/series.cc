// series: one circuit, many runs: a reset, a stimulus, what comes out and when; for verilator and for CXXRTL.
//
// Reads series.hex, "run TICKS" and then a stimulus word per line; writes series.csv: "run,tick,neuron,clock" for each
// spike, "run,end,0,clock" for each run's last word.  Clocks count from the end of the reset.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#ifdef VERILATED
#include "Vtop.h"
#include "verilated.h"
#else
#include "core.cc"
#endif

static const int ARGUMENT = $argument;
static const long LIMIT = 4000000;       // clocks without a word

struct Circuit {
#ifdef VERILATED
    Vtop top;
    void in(bool clk, bool rst, bool valid, uint32_t word) {
        top.clk = clk;
        top.rst = rst;
        top.in_valid = valid;
        top.in_word = word;
        top.out_ready = !rst;
        top.eval();
    }
    void rise() {
        top.clk = 1;
        top.eval();
    }
    bool taken() { return top.in_ready; }
    bool said() { return top.out_valid; }
    uint32_t word() { return top.out_word; }
#else
    cxxrtl_design::p_top top;
    void in(bool clk, bool rst, bool valid, uint32_t word) {
        top.p_clk.set<bool>(clk);
        top.p_rst.set<bool>(rst);
        top.p_in__valid.set<bool>(valid);
        top.p_in__word.set<uint32_t>(word);
        top.p_out__ready.set<bool>(!rst);
        top.step();
    }
    void rise() {
        top.p_clk.set<bool>(true);
        top.step();
    }
    bool taken() { return top.p_in__ready.get<bool>(); }
    bool said() { return top.p_out__valid.get<bool>(); }
    uint32_t word() { return top.p_out__word.get<uint32_t>(); }
#endif
};

int main() {
    FILE *in = fopen("series.hex", "r"), *out = fopen("series.csv", "w");
    char line[64];
    if (!in || !out) return 2;
    static Circuit circuit;
    long run = -1;
    bool more = fgets(line, sizeof line, in) != nullptr;
    while (more) {
        long ticks = strtol(line + 4, nullptr, 10), ended = 0, clock = 0, since = 0;
        run++;
        for (int k = 0; k < 4; k++) {
            circuit.in(false, true, false, 0);
            circuit.rise();
        }
        more = fgets(line, sizeof line, in) != nullptr;
        for (; ended <= ticks; clock++) {
            bool send = more && line[0] != 'r';
            uint32_t given = send ? (uint32_t)strtoul(line, nullptr, 16) : 0;
            circuit.in(false, false, send, (given >> 30 << ARGUMENT) | (given & ((1u << ARGUMENT) - 1)));
            bool taken = send && circuit.taken();
            if (circuit.said()) {
                uint32_t said = circuit.word();
                since = clock;
                if (said >> ARGUMENT == 1) ended++;
                else if (ended - 1 < ticks) fprintf(out, "%ld,%ld,%u,%ld\n", run, ended - 1,
                                                    said & ((1u << ARGUMENT) - 1), clock + 1);
            }
            circuit.rise();
            if (taken) more = fgets(line, sizeof line, in) != nullptr;
            if (clock - since > LIMIT) {
                printf("STUCK in run %ld, tick %ld\n", run, ended);
                return 1;
            }
        }
        fprintf(out, "%ld,end,0,%ld\n", run, clock);
    }
    fclose(out);
    printf("DONE runs %ld\n", run + 1);
    return 0;
}
