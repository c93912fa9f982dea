// link: between the router and one core, which counts rows from its own first neuron on: its neurons are its first rows.
//
// To the core: {end, row} becomes END_OF_TICK or EVENT row - BASE, modulo 2^ROW.  From it: EVENT neuron becomes
// {0, neuron + BASE}; its END_OF_TICK, which comes before a tick's spikes, is swallowed, and said after them.
module link #(
    parameter BASE = 0,                     // the row of the core's first neuron
    parameter ROW = 9,
    parameter ARGUMENT = 16
) (
    input  wire                clk,
    input  wire                rst,
    input  wire                to_valid,
    output wire                to_ready,
    input  wire [ROW:0]        to_word,
    output wire                in_valid,    // the core's ports
    input  wire                in_ready,
    output wire [ARGUMENT+1:0] in_word,
    input  wire                out_valid,
    output wire                out_ready,
    input  wire [ARGUMENT+1:0] out_word,
    input  wire                judged,      // pulse: a tick is judged, and its spikes are or were at out_word
    output wire                said_valid,
    input  wire                said_ready,
    output wire [ROW:0]        said_word
);
    localparam [ROW-1:0] FIRST = BASE[ROW-1:0];

    wire end_in;
    wire [ROW-1:0] row;
    fifo #(.WIDTH(1 + ROW), .DEEP(1)) there (
        .clk(clk), .rst(rst), .in_valid(to_valid), .in_ready(to_ready), .in_word(to_word), .out_valid(in_valid),
        .out_ready(in_ready), .out_word({end_in, row}));
    wire [ROW-1:0] counted = row - FIRST;
    assign in_word[ARGUMENT+1:ARGUMENT] = {1'b0, end_in};
    assign in_word[ROW-1:0] = counted;
    generate
        if (ARGUMENT > ROW) begin : zeros
            assign in_word[ARGUMENT-1:ROW] = 0;
        end
    endgenerate

    reg over;                               // the tick is judged, but not said yet
    wire room;
    wire spike = out_word[ARGUMENT+1:ARGUMENT] == 2'd0;
    wire unused = &{1'b0, out_word};
    fifo #(.WIDTH(1 + ROW), .DEEP(1)) back (
        .clk(clk), .rst(rst), .in_valid(out_valid ? spike : over), .in_ready(room),
        .in_word({!out_valid, out_word[ROW-1:0] + FIRST}), .out_valid(said_valid), .out_ready(said_ready),
        .out_word(said_word));
    assign out_ready = room;
    always @(posedge clk) begin
        if (judged) over <= 1;
        else if (room && !out_valid) over <= 0;
        if (rst) over <= 0;
    end
endmodule
