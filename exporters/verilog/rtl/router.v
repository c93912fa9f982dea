// router: what the world says goes to all cores, what a core says to the world and to all other cores, tick by tick.
//
// The world's words are event_core's.  Cores hear and say {end, row}: {0, row} is a spike, {1, 0} the end of a tick.  A
// core says the spikes of a tick, ascending, and then its end (link.v).
//
//   tick    every core, and the world, hear that a tick ends; TIME is so many of them
//   turn    one core after the other says its spikes; what the world says meanwhile is of the same tick, and goes between
//
// The next tick ends when all cores have said all, and their spikes are in every queue before it: no latency and no
// back-pressure makes a spike late.  The world hears the spikes of a tick core by core, that is, ascending.
// A word goes to all who should hear it in one clock, or waits: whoever stalls stalls the others, and nothing is lost.
module router #(
    parameter CORES = 2,
    parameter ROW = 9,                      // bits of a row's number
    parameter ARGUMENT = 16
) (
    input  wire                     clk,
    input  wire                     rst,
    input  wire                     in_valid,       // the world
    output wire                     in_ready,
    input  wire [ARGUMENT+1:0]      in_word,
    output wire                     out_valid,
    input  wire                     out_ready,
    output wire [ARGUMENT+1:0]      out_word,
    output wire [CORES-1:0]         to_valid,       // to each core
    input  wire [CORES-1:0]         to_ready,
    output wire [ROW:0]             to_word,
    input  wire [CORES-1:0]         said_valid,     // from each core
    output wire [CORES-1:0]         said_ready,
    input  wire [CORES*(ROW+1)-1:0] said_word
);
    localparam EVENT = 2'd0, END_OF_TICK = 2'd1, TIME = 2'd2;
    reg [CORES-1:0] turn;                   // one of them is 1: whose turn it is; none: all have said all
    reg all_said;                           // none is
    reg [ARGUMENT-1:0] left;                // ticks that are still to end
    reg more;                               // there are some

    // the world
    wire heard, used, space;
    wire [1:0] kind;
    wire [ARGUMENT-1:0] argument;
    fifo #(.WIDTH(ARGUMENT + 2), .DEEP(1)) hears (
        .clk(clk), .rst(rst), .in_valid(in_valid), .in_ready(in_ready), .in_word(in_word), .out_valid(heard),
        .out_ready(used), .out_word({kind, argument}));

    // the core whose turn it is
    reg says, ends;
    reg [ROW-1:0] own;
    integer k;
    always @* begin
        says = 0;
        ends = 0;
        own = 0;
        for (k = 0; k < CORES; k = k + 1) begin
            says = says | (turn[k] & said_valid[k]);
            ends = ends | (turn[k] & said_word[k*(ROW+1) + ROW]);
            own = own | ({ROW{turn[k]}} & said_word[k*(ROW+1) +: ROW]);
        end
    end

    // who goes
    wire room = &to_ready;                  // in the queues of all cores
    wire tick = more && all_said && space;
    wire speak = says && !ends && space;
    wire event_in = heard && kind == EVENT && !more && !speak;
    assign used = !more && (kind == EVENT ? !speak && room : all_said);
    assign said_ready = turn & {CORES{ends || (space && room)}};
    assign to_valid = {CORES{room}} & ({CORES{tick || event_in}} | ({CORES{speak}} & ~turn));
    assign to_word = {tick, tick ? {ROW{1'b0}} : speak ? own : argument[ROW-1:0]};

    fifo #(.WIDTH(1 + ROW), .DEEP(1)) tells (
        .clk(clk), .rst(rst), .in_valid(room && (tick || (says && !ends))), .in_ready(space), .in_word({tick, own}),
        .out_valid(out_valid), .out_ready(out_ready), .out_word({out_word[ARGUMENT], out_word[ROW-1:0]}));
    assign out_word[ARGUMENT+1] = 0;
    generate
        if (ARGUMENT > ROW) begin : zeros
            assign out_word[ARGUMENT-1:ROW] = 0;
        end
    endgenerate

    always @(posedge clk) begin
        if (heard && used && kind != EVENT) begin
            left <= kind == END_OF_TICK ? {{(ARGUMENT - 1){1'b0}}, 1'b1} : argument;
            more <= kind == END_OF_TICK || (kind == TIME && argument != 0);      // words of no kind are swallowed
        end
        if (tick && room) begin
            left <= left - 1'b1;
            more <= left != 1;
            turn <= {{(CORES - 1){1'b0}}, 1'b1};
            all_said <= 0;
        end else if (says && ends) begin
            turn <= turn << 1;
            all_said <= turn[CORES-1];
        end
        if (rst) begin
            turn <= 0;
            all_said <= 1;
            more <= 0;
        end
    end
endmodule
