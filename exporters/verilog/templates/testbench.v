// testbench: sends stimulus.hex, writes what comes out to spikes.csv, and compares it with expected.hex.
//
//   +pressure=P   of 256 clocks P are such that the world neither sends nor takes (random; default 0)
//   +seed=S       of that randomness
//   +reset=C      at clock C everything is reset, and the run begins again
//
// With STATE defined, state.csv tells what tick_core writes back: "v,tick,neuron,V,left" and "i,tick,neuron,currents"
// (one number in hex, the last receptor's current in the high bits).
//
// With NETLIST defined it looks at the ports only: top may then be what synthesis made of it.
`timescale 1ns / 1ps
module testbench;
    localparam WORDS = $words, TICKS = $ticks, ARGUMENT = $argument, SPIKES = $spikes;
    reg clk = 0, rst = 1;
    reg [31:0] words [0:WORDS-1];
    reg [63:0] expected [0:SPIKES];      // tick, neuron; one more, so that none is a memory too
    integer at = 0, ended = 0, cycles = 0, operations = 0, spikes = 0, wrong = 0, seed = 1, pressure = 0, reset = -1;
    integer out, first = 0, since = 0;
    reg may_send = 1, may_take = 1, mended = 0, booted = 0;
    wire in_ready, out_valid;
    wire [ARGUMENT+1:0] out_word;
    wire in_valid = may_send && at < WORDS && !rst;
    wire out_ready = may_take && !rst;
    reg [31:0] word;

    top top (.clk(clk), .rst(rst), .in_valid(in_valid), .in_ready(in_ready),
             .in_word({word[31:30], word[ARGUMENT-1:0]}), .out_valid(out_valid), .out_ready(out_ready),
             .out_word(out_word));

`ifdef STATE
    integer state, sweeps;
    always @(posedge clk) if (!rst) begin
        if (top.core.ticks.store)
            $$fwrite(state, "v,%0d,%0d,%0d,%0d\n", sweeps, top.core.ticks.store_neuron, top.core.ticks.store_value,
                     top.core.ticks.store_left);
        if (top.core.ticks.store_i)
            $$fwrite(state, "i,%0d,%0d,%0h\n", sweeps, top.core.ticks.n_m, top.core.ticks.i_m);
        if (top.core.judged) sweeps = sweeps + 1;
    end
`endif
    always @* word = at < WORDS ? words[at] : 0;
    always #5 clk = !clk;

    task begin_run;
        begin
            at <= 0;                     // the circuit reads what depends on it in the same clock
            ended = 0;
            spikes = 0;
            wrong = 0;
            operations = 0;
            out = $$fopen("spikes.csv", "w");
            $$fwrite(out, "tick,neuron\n");
`ifdef STATE
            state = $$fopen("state.csv", "w");
            sweeps = 0;
`endif
        end
    endtask

    task heard(input integer tick, input integer neuron);
        begin
            if (tick < TICKS) begin
                $$fwrite(out, "%0d,%0d\n", tick, neuron);
                if (wrong == 0 && spikes >= SPIKES) begin
                    wrong = 1;
                    $$display("WRONG tick %0d neuron %0d; expected no more", tick, neuron);
                end else if (wrong == 0 && expected[spikes] != {tick, neuron}) begin
                    wrong = 1;
                    $$display("WRONG tick %0d neuron %0d; expected tick %0d neuron %0d", tick, neuron,
                             expected[spikes][63:32], expected[spikes][31:0]);
                end
                spikes = spikes + 1;
            end
        end
    endtask

    initial begin
        $$readmemh("stimulus.hex", words);
        $$readmemh("expected.hex", expected);
        if ($$value$$plusargs("pressure=%d", pressure)) ;
        if ($$value$$plusargs("seed=%d", seed)) ;
        if ($$value$$plusargs("reset=%d", reset)) ;
        begin_run;
    end

    always @(posedge clk) begin
        cycles <= cycles + 1;
        rst <= cycles < 4 || (cycles >= reset && cycles < reset + 3 && reset >= 0);
        may_send <= $$unsigned($$random(seed)) % 256 >= pressure;
        may_take <= $$unsigned($$random(seed)) % 256 >= pressure;
`ifndef NETLIST
        $operations
`endif
        if (rst) begin
            booted = 0;
            if (reset >= 0 && cycles >= reset && !mended) begin
                mended = 1;
                $$fclose(out);
                begin_run;
            end
        end else begin
            if (in_ready) booted = 1;
            if (!booted) first = cycles;
            if (in_valid && in_ready) begin
                at <= at + 1;
            end
            if (out_valid && out_ready) begin
                since = cycles;
                if (out_word[ARGUMENT+1:ARGUMENT] == 1) ended = ended + 1;
                else heard(ended - 1, out_word[ARGUMENT-1:0]);
            end
            if (ended == TICKS + 1) begin
                if (wrong == 0 && spikes < SPIKES) begin
                    wrong = 1;
                    $$display("WRONG nothing more; expected tick %0d neuron %0d", expected[spikes][63:32],
                             expected[spikes][31:0]);
                end
                $$display("DONE spikes %0d wrong %0d cycles %0d operations %0d", spikes, wrong, cycles - first,
                         operations);
                $$fclose(out);
                $$finish;
            end else if (cycles - since > 4000000) begin
                $$display("STUCK at word %0d tick %0d", at, ended);
                $$finish;
            end
        end
    end
endmodule
