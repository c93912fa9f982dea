// event_core: spikes in, spikes out: a network of FX-LIF v1 neurons in event mode, one synaptic operation per clock.
//
//   front -> accumulate -> (touched) -> sweep -> judge -> front
//
// Words are {kind, argument}: 0 EVENT row, 1 END_OF_TICK, 2 TIME ticks; out come END_OF_TICK and, after it, the spikes of
// that tick as EVENT neuron, ascending.  Ready/valid on both sides; whatever `out_ready` does, no value changes.
// After a reset the memories are cleared; `in_ready` is low so long.
module event_core #(
    parameter NEURONS = 256,
    parameter NEURON = 8,
    parameter ROW = 9,
    parameter SYNAPSE = 12,
    parameter LENGTH = 8,
    parameter ARGUMENT = 16,
    parameter WEIGHT = 8,
    parameter DELAY = 0,
    parameter DELAY_LEAST = 1,
    parameter SUM = 20,
    parameter SHIFT = 0,
    parameter SLOTS = 2,
    parameter SLOT = 1,
    parameter PLACE = 8,
    parameter V = 24,
    parameter AGE = 11,
    parameter KIND = 1,
    parameter SUBTRACT = 1,
    parameter DECAY = 2,
    parameter RATE = 8,
    parameter FACTOR = 16,
    parameter COARSE = 6,
    parameter FINE = 6,
    parameter FINE_BITS = 6,
    parameter STEPS = 1,
    parameter DSP = 0,
    parameter ROWS = "rows.hex",            // images of memories that several cores have apart
    parameter SYNAPSES = "synapses.hex",
    parameter KINDS = "kinds.hex"
) (
    input  wire                clk,
    input  wire                rst,
    input  wire                in_valid,
    output wire                in_ready,
    input  wire [ARGUMENT+1:0] in_word,
    output wire                out_valid,
    input  wire                out_ready,
    output wire [ARGUMENT+1:0] out_word,
    output wire                judged       // pulse: a tick is judged, and its spikes are or were at out_word
);
    localparam DEPTH = (SLOTS / 2) << NEURON;
    localparam [PLACE:0] ENOUGH = DEPTH[PLACE:0] - 1'b1;

    // boot
    reg booted, clear;
    reg [PLACE-1:0] clear_place;
    wire last_place = {1'b0, clear_place} == ENOUGH;
    always @(posedge clk) begin
        clear <= !booted && !(clear && last_place);
        clear_place <= clear ? clear_place + 1'b1 : 0;
        if (clear && last_place) booted <= 1;
        if (rst) begin
            booted <= 0;
            clear <= 0;
        end
    end

    wire own_valid, own_ready, queued_valid, queued_ready, synapse, token, closed;
    wire touch, touch_bank, want, want_bank, open, all, idle, touched_valid, touched_ready;
    wire [NEURON-1:0] spike, queued, touched_neuron;
    wire [SYNAPSE-1:0] address;
    wire [SLOT-1:0] slot;
    wire [PLACE-1:0] touch_place, want_place;
    wire [SUM-1:0] sum;
    wire say, heard, end_out, found, found_ready;
    wire [NEURON-1:0] found_neuron;

    front #(.ROW(ROW), .START(SYNAPSE), .LENGTH(LENGTH), .ARGUMENT(ARGUMENT), .FILE(ROWS)) front (
        .clk(clk), .rst(rst), .booted(booted), .in_valid(in_valid), .in_ready(in_ready), .in_word(in_word),
        .own_valid(queued_valid), .own_ready(queued_ready), .own_row({{(ROW - NEURON){1'b0}}, queued}),
        .judged(judged), .valid(synapse), .token(token), .address(address));

    accumulate #(.NEURON(NEURON), .SYNAPSE(SYNAPSE), .WEIGHT(WEIGHT), .DELAY(DELAY), .DELAY_LEAST(DELAY_LEAST),
                 .SUM(SUM), .SLOTS(SLOTS), .SLOT(SLOT), .PLACE(PLACE), .FILE(SYNAPSES)) accumulate (
        .clk(clk), .rst(rst), .valid(synapse), .token(token), .address(address), .closed(closed), .slot(slot),
        .touch(touch), .touch_bank(touch_bank), .touch_place(touch_place), .clear(clear), .clear_place(clear_place),
        .want(want), .want_bank(want_bank), .want_place(want_place), .open(open), .sum(sum));

    touched #(.NEURON(NEURON), .SLOTS(SLOTS), .SLOT(SLOT), .PLACE(PLACE)) touched (
        .clk(clk), .rst(rst), .touch(touch), .touch_bank(touch_bank), .touch_place(touch_place), .clear(clear),
        .clear_word(clear_place[PLACE-1:4]), .start(closed), .slot(slot), .all(all), .idle(idle), .valid(found),
        .ready(found_ready), .neuron(found_neuron));

    // not for room but for time: what stalls the sweep need not reach the scan in the same clock
    fifo #(.WIDTH(NEURON), .DEEP(1)) between (
        .clk(clk), .rst(rst), .in_valid(found), .in_ready(found_ready), .in_word(found_neuron),
        .out_valid(touched_valid), .out_ready(touched_ready), .out_word(touched_neuron));

    sweep #(.NEURONS(NEURONS), .NEURON(NEURON), .V(V), .AGE(AGE), .SUM(SUM), .SHIFT(SHIFT), .KIND(KIND),
            .SUBTRACT(SUBTRACT), .DECAY(DECAY), .RATE(RATE), .FACTOR(FACTOR), .COARSE(COARSE), .FINE(FINE),
            .FINE_BITS(FINE_BITS), .STEPS(STEPS), .DSP(FACTOR <= 16 ? DSP : 0), .PLACE(PLACE), .SLOT(SLOT),
            .KINDS(KINDS)) sweep (
        .clk(clk), .rst(rst), .closed(closed), .slot(slot), .judged(judged), .all(all), .touched_idle(idle),
        .touched_valid(touched_valid), .touched_ready(touched_ready), .touched_neuron(touched_neuron), .want(want),
        .want_bank(want_bank), .want_place(want_place), .open(open), .sum(sum), .own_valid(own_valid),
        .own_ready(own_ready), .out_valid(say), .out_ready(heard), .out_end(end_out), .out_neuron(spike));

    fifo #(.WIDTH(NEURON), .DEEP(2)) own (
        .clk(clk), .rst(rst), .in_valid(own_valid), .in_ready(own_ready), .in_word(spike), .out_valid(queued_valid),
        .out_ready(queued_ready), .out_word(queued));

    fifo #(.WIDTH(ARGUMENT + 2), .DEEP(1)) out (
        .clk(clk), .rst(rst), .in_valid(say), .in_ready(heard),
        .in_word(end_out ? {2'd1, {ARGUMENT{1'b0}}} : {2'd0, {(ARGUMENT - NEURON){1'b0}}, spike}),
        .out_valid(out_valid), .out_ready(out_ready), .out_word(out_word));
endmodule
