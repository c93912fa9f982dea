// front: words in, synapse addresses out, one per clock.
//
// An EVENT a (from outside, or a neuron of this core that spiked) names a row of synapses; rows.hex says where it begins
// and how long it is.  END_OF_TICK and TIME travel as a token in the same stream, so that nothing needs to be drained.
//
//   elastic pipeline   decode -> choose -> row number -> memory -> descriptor -> address counter
//   row word           {nonempty, start, length - 1}
//
// Spikes of this core go first.  A tick ends only when the tick before has been judged and its spikes are all in.
module front #(
    parameter ROW = 8,                      // bits of a row number
    parameter START = 12,                   // bits of a synapse address
    parameter LENGTH = 8,                   // bits of a row's length - 1
    parameter ARGUMENT = 16,                // bits of a word's argument
    parameter FILE = "rows.hex"
) (
    input  wire                clk,
    input  wire                rst,
    input  wire                booted,
    input  wire                in_valid,
    output wire                in_ready,
    input  wire [ARGUMENT+1:0] in_word,
    input  wire                own_valid,   // a spike of this core
    output wire                own_ready,
    input  wire [ROW-1:0]      own_row,
    input  wire                judged,      // pulse: the tick whose token was sent is judged, its spikes are queued
    output reg                 valid,       // a synapse
    output reg                 token,       // the end of a tick
    output reg  [START-1:0]    address
);
    localparam EVENT = 2'd0, END_OF_TICK = 2'd1, TIME = 2'd2;

    // decode
    wire [1:0] kind = in_word[ARGUMENT+1:ARGUMENT];
    wire [ARGUMENT-1:0] argument = in_word[ARGUMENT-1:0];
    reg word, is_tick, is_last;             // a word waits; it is END_OF_TICK or TIME, and only one tick of it is left
    reg [ARGUMENT-1:0] number;              // its row, or its ticks that are left
    wire room;                              // in the queue of what is decoded
    wire used = room && (!is_tick || is_last);
    wire sense = kind == EVENT || kind == END_OF_TICK || (kind == TIME && argument != 0);  // others are swallowed
    assign in_ready = booted && (!word || used);

    wire wait_valid, wait_used, wait_tick;
    wire [ROW-1:0] wait_row;
    fifo #(.WIDTH(1 + ROW), .DEEP(1)) decoded (
        .clk(clk), .rst(rst), .in_valid(word), .in_ready(room), .in_word({is_tick, number[ROW-1:0]}),
        .out_valid(wait_valid), .out_ready(wait_used), .out_word({wait_tick, wait_row}));

    // choose
    reg judging;                            // a tick is not judged yet
    reg v1, v2, token1, token2;
    wire v0, token0, go0, take2;
    wire [ROW-1:0] row0;
    wire go2 = !v2 || take2;
    wire go1 = !v1 || go2;
    wire may = wait_valid && !own_valid && !(wait_tick && judging);
    wire tick_in = go0 && may && wait_tick;

    assign own_ready = go0;
    assign wait_used = go0 && !own_valid && !(wait_tick && judging);
    fifo #(.WIDTH(1 + ROW), .DEEP(1)) chosen (
        .clk(clk), .rst(rst), .in_valid(own_valid || may), .in_ready(go0),
        .in_word({!own_valid && wait_tick, own_valid ? own_row : wait_row}), .out_valid(v0), .out_ready(go1),
        .out_word({token0, row0}));

    always @(posedge clk) begin
        if (in_ready) begin
            word <= in_valid && sense;
            is_tick <= kind != EVENT;
            is_last <= kind == END_OF_TICK || argument == 1;
            number <= argument;
        end else if (room) begin
            is_last <= number == 2;
            number <= number - 1'b1;
        end
        if (tick_in) judging <= 1;
        else if (judged) judging <= 0;
        if (go1) begin
            v1 <= v0;
            token1 <= token0;
        end
        if (go2) begin
            v2 <= v1;
            token2 <= token1;
        end
        if (rst) begin
            word <= 0;
            v1 <= 0;
            v2 <= 0;
            judging <= 0;
        end
    end

    // describe
    wire nonempty;
    wire [START-1:0] start;
    wire [LENGTH-1:0] rest;
    rom #(.WIDTH(1 + START + LENGTH), .ADDRESS(ROW), .FILE(FILE)) rows (
        .clk(clk), .enable_1(go1), .enable_2(go2), .address(row0), .word({nonempty, start, rest}));

    // count
    reg last;
    reg [LENGTH-1:0] left;
    assign take2 = v2 && (!valid || last);

    always @(posedge clk) begin
        token <= take2 && token2;
        if (take2) begin
            valid <= !token2 && nonempty;
            address <= start;
            left <= rest;
            last <= rest == 0;
        end else if (valid) begin
            valid <= !last;
            address <= address + 1'b1;
            left <= left - 1'b1;
            last <= left == 1;
        end
        if (rst) begin
            valid <= 0;
            token <= 0;
        end
    end
endmodule
