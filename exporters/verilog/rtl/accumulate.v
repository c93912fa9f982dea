// accumulate: sum[slot][port][neuron] += weight, one synapse per clock, sustained.
//
// A ring of SLOTS ticks lies in two banks (slot parity): while tick n is swept out of its slot, synapses add to the
// slots n+1 .. n+SLOTS-1.  The sweep reads and clears whenever no synapse needs its bank; with delays of one tick (two
// slots) that is always.  The stages, by the suffix of their registers:
//
//   1, 2  synapse word {port, delay - DELAY_LEAST, weight, neuron}                 5  sum out of the memory
//   3     slot + delay                                                            6  registered
//   4     modulo SLOTS: the address                                               7  operand chosen, but for distance 1
//                                                                                 8  added, written, marked as touched
//
// Sums of the last four synapses are not in the memory yet when it is read: they are forwarded.  Matches are found at
// stage 4, so that only distance 1 is inside the adder's loop.
module accumulate #(
    parameter NEURON = 8,                   // bits of a neuron's number
    parameter SYNAPSE = 12,                 // bits of a synapse address
    parameter WEIGHT = 8,
    parameter DELAY = 0,                    // bits of a synapse's own delay; 0: all have DELAY_LEAST
    parameter DELAY_LEAST = 1,
    parameter SUM = 20,
    parameter SLOTS = 2,                    // even, more than the longest delay
    parameter SLOT = 1,                     // bits of a slot's number
    parameter PLACE = 8,                    // bits of an address in a bank
    parameter PORTS = 1,                    // sums of a neuron
    parameter PORT = 0,                     // bits of a synapse's port; 0: there is one
    parameter FILE = "synapses.hex"
) (
    input  wire              clk,
    input  wire              rst,
    input  wire              valid,         // a synapse, by its address
    input  wire              token,         // the end of a tick
    input  wire [SYNAPSE-1:0] address,
    output wire              closed,        // pulse: all synapses before the token are in the sums
    output reg  [SLOT-1:0]   slot,          // of the tick that ended last
    output wire              touch,         // a sum was written: of this bank, place
    output wire              touch_bank,
    output wire [PLACE-1:0]  touch_place,
    input  wire              clear,         // both banks, at this place, while no synapse comes
    input  wire [PLACE-1:0]  clear_place,
    output reg               open,          // no synapse needs bank want_bank in this clock: the sweep may have it
    input  wire              want_bank,
    input  wire              want,          // the sweep reads and clears the sums at this place
    input  wire [PLACE-1:0]  want_place,
    output reg  [PORTS*SUM-1:0] sum         // three clocks later; port 0 in the low bits
);
    localparam WORD = PORT + DELAY + WEIGHT + NEURON;
    localparam R = PORT > 0 ? PORT : 1;
    localparam DEPTH = (SLOTS / 2) << NEURON;
    localparam [SLOT-1:0] LAST = SLOTS[SLOT-1:0] - 1'b1;

    // 1, 2: the synapse
    wire [WORD-1:0] word2;
    reg v1, v2, v3, v4, v5, v6, v7, v8, t1, t2, t3, t4, t5, t6, t7, t8;
    rom #(.WIDTH(WORD), .ADDRESS(SYNAPSE), .FILE(FILE)) synapses (
        .clk(clk), .enable_1(1'b1), .enable_2(1'b1), .address(address), .word(word2));

    // 3, 4: where it goes
    reg [SLOT-1:0] base;                    // of the tick that ended last, for the synapses at stage 2
    reg [SLOT:0] ahead3;
    reg [NEURON-1:0] n3;
    reg signed [WEIGHT-1:0] w3, w4, w5, w6, w7;
    reg [PLACE-1:0] p4, p5, p6, p7, p8;
    reg b4, b5, b6, b7, b8;
    reg [R-1:0] r3, r4, r5, r6, r7, r8;     // the port
    wire [SLOT:0] ahead2;
    wire [SLOT-1:0] slot3;
    wire unused_wrap;

    generate
        if (DELAY > 0) begin : own_delays
            assign ahead2 = {1'b0, base} + DELAY_LEAST[SLOT:0] + {{(SLOT + 1 - DELAY){1'b0}}, word2[NEURON+WEIGHT +: DELAY]};
        end else begin : one_delay
            assign ahead2 = {1'b0, base} + DELAY_LEAST[SLOT:0];
        end
        if (PLACE > NEURON) begin : many_slots
            always @(posedge clk) p4 <= {slot3[1 +: PLACE-NEURON], n3};
        end else begin : two_slots
            always @(posedge clk) p4 <= n3;
        end
    endgenerate
    assign {unused_wrap, slot3} = ahead3 >= SLOTS[SLOT:0] ? ahead3 - SLOTS[SLOT:0] : ahead3;

    always @(posedge clk) begin
        ahead3 <= ahead2;
        n3 <= word2[NEURON-1:0];
        w3 <= word2[NEURON +: WEIGHT];
        r3 <= PORT > 0 ? word2[WORD-1 -: R] : 0;
        {r4, r5, r6, r7, r8} <= {r3, r4, r5, r6, r7};
        b4 <= slot3[0];
        open <= !(v3 && slot3[0] == want_bank);
        w4 <= w3;
        w5 <= w4;
        w6 <= w5;
        w7 <= w6;
        p5 <= p4;
        p6 <= p5;
        p7 <= p6;
        p8 <= p7;
        b5 <= b4;
        b6 <= b5;
        b7 <= b6;
        b8 <= b7;
        {v1, v2, v3, v4, v5, v6, v7, v8} <= {valid, v1, v2, v3, v4, v5, v6, v7};
        {t1, t2, t3, t4, t5, t6, t7, t8} <= {token, t1, t2, t3, t4, t5, t6, t7};
        if (t2) base <= base == LAST ? 0 : base + 1'b1;
        if (t8) slot <= slot == LAST ? 0 : slot + 1'b1;
        if (rst) begin
            {v1, v2, v3, v4, v5, v6, v7, v8} <= 0;
            {t1, t2, t3, t4, t5, t6, t7, t8} <= 0;
            base <= LAST;
            slot <= LAST;
        end
    end
    assign closed = t8;

    // 4: who reads which bank; the sweep's clear comes when a synapse of its clock would write, so it never collides
    wire busy0 = v4 && !b4, busy1 = v4 && b4;
    wire sweep0 = want && !want_bank, sweep1 = want && want_bank;
    reg s0_5, s0_6, s0_7, s0_8, s1_5, s1_6, s1_7, s1_8;
    reg [PLACE-1:0] c5, c6, c7, c8;
    wire [PORTS*SUM-1:0] out0, out1;
    reg signed [SUM-1:0] sum8, sum9, sum10;

    always @(posedge clk) begin
        {s0_5, s0_6, s0_7, s0_8} <= {sweep0, s0_5, s0_6, s0_7};
        {s1_5, s1_6, s1_7, s1_8} <= {sweep1, s1_5, s1_6, s1_7};
        c5 <= want_place;
        c6 <= c5;
        c7 <= c6;
        c8 <= clear ? clear_place : c7;
        if (clear) {s0_8, s1_8} <= 2'b11;
        sum <= s0_6 ? out0 : out1;
        if (rst) {s0_5, s0_6, s0_7, s0_8, s1_5, s1_6, s1_7, s1_8} <= 0;
    end

    // a synapse writes at stage 8; the sweep's zero follows the same four clocks after its read
    wire write0 = v8 && !b8, write1 = v8 && b8;
    genvar k;
    generate
        for (k = 0; k < PORTS; k = k + 1) begin : port
            wire mine = PORTS == 1 || r8 == k[R-1:0];
            ram #(.WIDTH(SUM), .ADDRESS(PLACE), .DEPTH(DEPTH), .LOOSE(1)) bank0 (
                .clk(clk), .write((write0 && mine) || s0_8), .write_address(write0 ? p8 : c8),
                .write_word(write0 ? sum8 : {SUM{1'b0}}), .address(busy0 ? p4 : want_place), .word(out0[k*SUM +: SUM]));
            ram #(.WIDTH(SUM), .ADDRESS(PLACE), .DEPTH(DEPTH), .LOOSE(1)) bank1 (
                .clk(clk), .write((write1 && mine) || s1_8), .write_address(write1 ? p8 : c8),
                .write_word(write1 ? sum8 : {SUM{1'b0}}), .address(busy1 ? p4 : want_place), .word(out1[k*SUM +: SUM]));
        end
    endgenerate

    // 4 .. 8: forwarding
    reg m1_5, m2_5, m3_5, m4_5;             // the synapse one, two, three, four before has the same address
    reg m1_6, m1_7, f2_6, f3_6, f4_6;
    reg [PORTS-1:0] f0_6, f1_6;             // it comes from the memory of this port
    reg [SUM-1:0] stored6;
    integer i, j;
    reg signed [SUM-1:0] other7;
    wire signed [SUM-1:0] operand = m1_7 ? sum8 : other7;

    always @* begin
        stored6 = 0;
        for (i = 0; i < PORTS; i = i + 1)
            stored6 = stored6 | ({SUM{f0_6[i]}} & out0[i*SUM +: SUM]) | ({SUM{f1_6[i]}} & out1[i*SUM +: SUM]);
    end

    always @(posedge clk) begin
        m1_5 <= v5 && {r5, b5, p5} == {r4, b4, p4};
        m2_5 <= v6 && {r6, b6, p6} == {r4, b4, p4};
        m3_5 <= v7 && {r7, b7, p7} == {r4, b4, p4};
        m4_5 <= v8 && {r8, b8, p8} == {r4, b4, p4};
        m1_6 <= m1_5;
        f2_6 <= m2_5;
        f3_6 <= m3_5 && !m2_5;
        f4_6 <= m4_5 && !m3_5 && !m2_5;
        for (j = 0; j < PORTS; j = j + 1) begin
            f0_6[j] <= !m4_5 && !m3_5 && !m2_5 && !b5 && (PORTS == 1 || r5 == j[R-1:0]);
            f1_6[j] <= !m4_5 && !m3_5 && !m2_5 && b5 && (PORTS == 1 || r5 == j[R-1:0]);
        end
        m1_7 <= m1_6;
        other7 <= ({SUM{f2_6}} & sum8) | ({SUM{f3_6}} & sum9) | ({SUM{f4_6}} & sum10)
            | stored6;
        sum8 <= operand + {{(SUM - WEIGHT){w7[WEIGHT-1]}}, w7};
        sum9 <= sum8;
        sum10 <= sum9;
    end
    assign touch = v8;
    assign touch_bank = b8;
    assign touch_place = p8;
endmodule
