// fade: a register after one tick of decay, in LATENCY clocks; a pipeline without a stall.
//
//   DECAY  0 x                                                                                  clocks: 1
//          1 linear   sgn(x) max(|x| - rate, 0)                                                         3
//          2 mul      x (2^FACTOR - rate) / 2^FACTOR, rounded                                           4 + multiply's
//          3 shift    x - y with y = x / 2^rate, rounded, and MIN1: at least one LSB while x is not 0   3 + RATE
//
// ROUNDING: see rounded.v.  NONE: some neurons have no decay; where a rate of 0 is not that (shift), they say `none`.
module fade #(
    parameter DECAY = 2,
    parameter W = 24,
    parameter RATE = 16,
    parameter FACTOR = 16,                  // RATE .. RATE + 63
    parameter ROUNDING = 0,
    parameter MIN1 = 1,
    parameter NONE = 0,
    parameter DSP = 0,
    parameter LATENCY = 12
) (
    input  wire                clk,
    input  wire signed [W-1:0] x,
    input  wire                none,
    input  wire [RATE-1:0]     rate,
    output wire signed [W-1:0] y
);
    localparam HARD = DSP != 0 && RATE <= 16 ? 1 : 0;
    localparam PRODUCT = HARD != 0 ? 4 : 1 + (RATE + 1) / 2;
    localparam OWN = DECAY == 0 ? 1 : DECAY == 1 ? 3 : DECAY == 2 ? 4 + PRODUCT : 3 + RATE;
    reg signed [W-1:0] done;
    later #(.WIDTH(W), .LENGTH(LATENCY - OWN)) wait_for_others (.clk(clk), .in_word(done), .out_word(y));

    generate
        if (DECAY == 0) begin : kept
            wire unused = &{1'b0, none, rate};
            always @(posedge clk) done <= x;
        end else if (DECAY == 1) begin : linear
            wire unused = none;
            reg minus1, minus2;
            reg [W-1:0] size1;
            reg [RATE-1:0] rate1;
            reg [W:0] left2;
            always @(posedge clk) begin
                minus1 <= x[W-1];
                size1 <= x[W-1] ? -x : x;
                rate1 <= rate;
                minus2 <= minus1;
                left2 <= {1'b0, size1} - {{(W + 1 - RATE){1'b0}}, rate1};
                done <= left2[W] ? 0 : minus2 ? -left2[W-1:0] : left2[W-1:0];
            end
        end else if (DECAY == 2) begin : mul
            // |x| (2^FACTOR - rate) / 2^FACTOR = |x| - lost, and lost = |x| rate / 2^FACTOR: rate is the short number
            localparam MORE = FACTOR - RATE;            // bits to shift that multiply does not
            reg minus1, minus_r;
            reg [W-1:0] size1, size_r;
            reg [RATE-1:0] rate1;
            wire [W-1:0] product, size_p, whole;
            wire [1:0] below;
            wire minus_p, half, less;
            wire [W+63:0] far = {64'd0, product};
            wire [W+63:0] out = far & ~({(W + 64){1'b1}} << MORE);
            wire up = ROUNDING == 0 ? half || less : ROUNDING == 1 ? (half || less) && !minus_p
                : half && (less || size_p[0] != whole[0]);              // a tie goes to the even one of what is left
            wire unused = &{1'b0, none, far, out, below};
            multiply #(.A(W), .B(RATE), .DSP(HARD)) scaled (
                .clk(clk), .a(size1), .b(rate1), .product(product), .below(below));
            later #(.WIDTH(W + 1), .LENGTH(PRODUCT)) beside (
                .clk(clk), .in_word({minus1, size1}), .out_word({minus_p, size_p}));
            assign whole = far[MORE +: W];
            if (MORE == 0) begin : as_told
                assign {half, less} = below;
            end else begin : further
                assign half = out[MORE-1];
                assign less = (out & ~({{(W + 63){1'b0}}, 1'b1} << (MORE - 1))) != 0 || below != 0;
            end
            reg up_r, minus_s;
            reg [W-1:0] whole_r, left_s;
            always @(posedge clk) begin
                minus1 <= x[W-1];
                size1 <= x[W-1] ? -x : x;
                rate1 <= rate;
                {minus_r, up_r, whole_r, size_r} <= {minus_p, up, whole, size_p};
                minus_s <= minus_r;
                left_s <= size_r - whole_r - {{(W - 1){1'b0}}, up_r};
                done <= minus_s ? -left_s : left_s;
            end
        end else begin : shift
            wire signed [W-1:0] lost, from;
            wire off = NONE != 0 && none;
            wire off_q;
            reg signed [W-1:0] lost_r, from_r;
            rounded #(.W(W), .SHIFT(RATE), .LEAST(0), .ROUNDING(ROUNDING)) over_power (
                .clk(clk), .x(x), .shift(rate), .y(lost));
            later #(.WIDTH(W + 1), .LENGTH(RATE + 1)) beside (.clk(clk), .in_word({off, x}), .out_word({off_q, from}));
            always @(posedge clk) begin
                lost_r <= off_q ? 0 : MIN1 == 0 || lost != 0 ? lost : from[W-1] ? {W{1'b1}}
                    : {{(W - 1){1'b0}}, from != 0};
                from_r <= from;
                done <= from_r - lost_r;
            end
        end
    endgenerate
endmodule
