// current: a receptor's I after one tick at which `sum` arrives, and what it is worth in V.
//
//   I := sat(fade(I) + sum << SHIFT)      or, with INPUT_FIRST, fade(sat(I + sum << SHIFT))      D + 3 clocks
//   worth = I / 2^(FALL_LEAST + fall), rounded                                                   FALL + 1 clocks more
//
// At tick 0 (`all`) I stays as it is.  `moved`: it was reached, or is not what it was; with `now`, a clock later.
module current #(
    parameter W = 24,
    parameter SUM = 20,
    parameter SHIFT = 0,
    parameter DECAY = 2,
    parameter RATE = 16,
    parameter FACTOR = 16,
    parameter ROUNDING = 0,
    parameter SATURATION = 0,
    parameter INPUT_FIRST = 0,
    parameter MIN1 = 1,
    parameter NONE = 0,
    parameter FALL = 0,
    parameter FALL_LEAST = 0,
    parameter DSP = 0,
    parameter D = 12                        // clocks of fade
) (
    input  wire                  clk,
    input  wire                  all,
    input  wire signed [W-1:0]   i,
    input  wire signed [SUM-1:0] sum,
    input  wire                  none,
    input  wire [RATE-1:0]       rate,
    input  wire [(FALL > 0 ? FALL : 1)-1:0] fall,
    output reg  signed [W-1:0]   now,
    output reg                   moved,
    output wire signed [W-1:0]   worth
);
    localparam T = (SUM + SHIFT > W ? SUM + SHIFT : W) + 1;
    localparam F = FALL > 0 ? FALL : 1;
    wire signed [W-1:0] old, next;
    wire signed [T-1:0] input_wide;
    wire [W-1:0] fits;
    wire reached;
    wire [F-1:0] fall_late;
    reg signed [T-1:0] exact;
    later #(.WIDTH(W), .LENGTH(D + 2)) was (.clk(clk), .in_word(i), .out_word(old));
    later #(.WIDTH(1), .LENGTH(D + 2)) any (.clk(clk), .in_word(sum != 0), .out_word(reached));
    later #(.WIDTH(F), .LENGTH(D + 3)) deep (.clk(clk), .in_word(fall), .out_word(fall_late));
    held #(.T(T), .W(W), .SATURATION(SATURATION)) held (.x(exact), .y(fits));

    generate
        if (INPUT_FIRST != 0) begin : input_first
            wire none_late;
            wire [RATE-1:0] rate_late;
            reg signed [W-1:0] full;
            assign input_wide = {{(T - SUM){sum[SUM-1]}}, sum} <<< SHIFT;
            later #(.WIDTH(1 + RATE), .LENGTH(2)) how (
                .clk(clk), .in_word({none, rate}), .out_word({none_late, rate_late}));
            fade #(.DECAY(DECAY), .W(W), .RATE(RATE), .FACTOR(FACTOR), .ROUNDING(ROUNDING), .MIN1(MIN1), .NONE(NONE),
                   .DSP(DSP), .LATENCY(D)) fade (.clk(clk), .x(full), .none(none_late), .rate(rate_late), .y(next));
            always @(posedge clk) begin
                exact <= {{(T - W){i[W-1]}}, i} + input_wide;
                full <= fits;
            end
        end else begin : decay_first
            wire signed [W-1:0] faded;
            wire signed [SUM-1:0] sum_late;
            reg signed [W-1:0] full;
            later #(.WIDTH(SUM), .LENGTH(D)) beside (.clk(clk), .in_word(sum), .out_word(sum_late));
            assign input_wide = {{(T - SUM){sum_late[SUM-1]}}, sum_late} <<< SHIFT;
            fade #(.DECAY(DECAY), .W(W), .RATE(RATE), .FACTOR(FACTOR), .ROUNDING(ROUNDING), .MIN1(MIN1), .NONE(NONE),
                   .DSP(DSP), .LATENCY(D)) fade (.clk(clk), .x(i), .none(none), .rate(rate), .y(faded));
            always @(posedge clk) begin
                exact <= {{(T - W){faded[W-1]}}, faded} + input_wide;
                full <= fits;
            end
            assign next = full;
        end
    endgenerate

    reg reached_now;
    reg signed [W-1:0] old_now;
    always @(posedge clk) begin
        now <= all ? old : next;
        old_now <= old;
        reached_now <= reached;
        moved <= reached_now || now != old_now;
    end
    rounded #(.W(W), .SHIFT(FALL), .LEAST(FALL_LEAST), .ROUNDING(ROUNDING)) divided (
        .clk(clk), .x(now), .shift(fall_late), .y(worth));
endmodule
