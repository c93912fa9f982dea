// tick_core: spikes in, spikes out: a network of FX-LIF v1 neurons in tick mode, one synaptic operation and one awake
// neuron per clock; neurons that sleep are not visited.
//
//   front -> accumulate -> (active) -> ticks -> fire -> front
//
// Words, ports and reset are event_core's.  A neuron may have several sums: what arrives for V itself, and one for each
// receptor that has a synaptic current.
module tick_core #(
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
    parameter PORTS = 1,
    parameter PORT = 0,
    parameter DIRECT = 1,
    parameter CURRENTS = 0,
    parameter V = 24,
    parameter I = 24,
    parameter I_SHIFT = 0,
    parameter KIND = 1,
    parameter LEFT = 1,
    parameter SPIKES = 0,
    parameter ROUNDING = 0,
    parameter SATURATION = 0,
    parameter INPUT_FIRST = 0,
    parameter V_DECAY = 2,
    parameter V_RATE = 16,
    parameter V_FACTOR = 16,
    parameter V_NONE = 0,
    parameter V_MIN1 = 1,
    parameter I_DECAY = 0,
    parameter I_RATE = 16,
    parameter I_FACTOR = 16,
    parameter I_NONE = 0,
    parameter I_MIN1 = 1,
    parameter FALL = 0,
    parameter FALL_LEAST = 0,
    parameter DSP = 0
) (
    input  wire                clk,
    input  wire                rst,
    input  wire                in_valid,
    output wire                in_ready,
    input  wire [ARGUMENT+1:0] in_word,
    output wire                out_valid,
    input  wire                out_ready,
    output wire [ARGUMENT+1:0] out_word,
    output wire                judged       // pulse: a tick is judged
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
    wire touch, touch_bank, want, want_bank, open, all, idle, active_valid, active_ready, store, awake;
    wire [NEURON-1:0] spike, queued, active_neuron, stored;
    wire [SYNAPSE-1:0] address;
    wire [SLOT-1:0] slot;
    wire [PLACE-1:0] touch_place, want_place;
    wire [PORTS*SUM-1:0] sum;
    wire say, heard, end_out, found, found_ready;
    wire [NEURON-1:0] found_neuron;

    front #(.ROW(ROW), .START(SYNAPSE), .LENGTH(LENGTH), .ARGUMENT(ARGUMENT)) front (
        .clk(clk), .rst(rst), .booted(booted), .in_valid(in_valid), .in_ready(in_ready), .in_word(in_word),
        .own_valid(queued_valid), .own_ready(queued_ready), .own_row({{(ROW - NEURON){1'b0}}, queued}),
        .judged(judged), .valid(synapse), .token(token), .address(address));

    accumulate #(.NEURON(NEURON), .SYNAPSE(SYNAPSE), .WEIGHT(WEIGHT), .DELAY(DELAY), .DELAY_LEAST(DELAY_LEAST),
                 .SUM(SUM), .SLOTS(SLOTS), .SLOT(SLOT), .PLACE(PLACE), .PORTS(PORTS), .PORT(PORT)) accumulate (
        .clk(clk), .rst(rst), .valid(synapse), .token(token), .address(address), .closed(closed), .slot(slot),
        .touch(touch), .touch_bank(touch_bank), .touch_place(touch_place), .clear(clear), .clear_place(clear_place),
        .want(want), .want_bank(want_bank), .want_place(want_place), .open(open), .sum(sum));

    active #(.NEURON(NEURON), .SLOTS(SLOTS), .SLOT(SLOT), .PLACE(PLACE)) active (
        .clk(clk), .rst(rst), .touch(touch), .touch_bank(touch_bank), .touch_place(touch_place), .mark(store),
        .mark_neuron(stored), .mark_awake(awake), .clear(clear), .clear_word(clear_place[PLACE-1:4]), .start(closed),
        .slot(slot), .all(all), .idle(idle), .valid(found), .ready(found_ready), .neuron(found_neuron));

    // not for room but for time: what stalls the visits need not reach the scan in the same clock
    fifo #(.WIDTH(NEURON), .DEEP(1)) between (
        .clk(clk), .rst(rst), .in_valid(found), .in_ready(found_ready), .in_word(found_neuron),
        .out_valid(active_valid), .out_ready(active_ready), .out_word(active_neuron));

    ticks #(.NEURONS(NEURONS), .NEURON(NEURON), .V(V), .SUM(SUM), .PORTS(PORTS), .DIRECT(DIRECT), .SHIFT(SHIFT),
            .CURRENTS(CURRENTS), .I(I), .I_SHIFT(I_SHIFT), .KIND(KIND), .LEFT(LEFT), .SPIKES(SPIKES),
            .ROUNDING(ROUNDING), .SATURATION(SATURATION), .INPUT_FIRST(INPUT_FIRST), .V_DECAY(V_DECAY),
            .V_RATE(V_RATE), .V_FACTOR(V_FACTOR), .V_NONE(V_NONE), .V_MIN1(V_MIN1), .I_DECAY(I_DECAY), .I_RATE(I_RATE), .I_FACTOR(I_FACTOR), .I_NONE(I_NONE),
            .I_MIN1(I_MIN1), .FALL(FALL), .FALL_LEAST(FALL_LEAST), .DSP(DSP), .PLACE(PLACE), .SLOT(SLOT)) ticks (
        .clk(clk), .rst(rst), .closed(closed), .slot(slot), .judged(judged), .all(all), .active_idle(idle),
        .active_valid(active_valid), .active_ready(active_ready), .active_neuron(active_neuron), .want(want),
        .want_bank(want_bank), .want_place(want_place), .open(open), .sum(sum), .store(store), .store_neuron(stored),
        .store_awake(awake), .own_valid(own_valid), .own_ready(own_ready), .out_valid(say), .out_ready(heard),
        .out_end(end_out), .out_neuron(spike));

    fifo #(.WIDTH(NEURON), .DEEP(2)) own (
        .clk(clk), .rst(rst), .in_valid(own_valid), .in_ready(own_ready), .in_word(spike), .out_valid(queued_valid),
        .out_ready(queued_ready), .out_word(queued));

    fifo #(.WIDTH(ARGUMENT + 2), .DEEP(1)) out (
        .clk(clk), .rst(rst), .in_valid(say), .in_ready(heard),
        .in_word(end_out ? {2'd1, {ARGUMENT{1'b0}}} : {2'd0, {(ARGUMENT - NEURON){1'b0}}, spike}),
        .out_valid(out_valid), .out_ready(out_ready), .out_word(out_word));
endmodule
