// multiply: (a * b) >> B, rounded down, in a pipeline; and what was shifted out, for who rounds otherwise.
//
// DSP = 0: in logic, from the low end of b, two of its bits per stage: what is shifted out is never needed again.
// DSP = 1: 16 x 16 products for hard multipliers, every register kept (B at most 16).
// LATENCY of the instance: DSP ? 4 : 1 + ceil(B / 2) clocks (sweep.v knows).
module multiply #(
    parameter A = 23,
    parameter B = 16,
    parameter DSP = 0
) (
    input  wire         clk,
    input  wire [A-1:0] a,
    input  wire [B-1:0] b,
    output wire [A-1:0] product,
    output wire [1:0]   below               // {its highest bit, whether there is a bit below that}
);
    generate
        if (DSP != 0) begin : in_dsp
            localparam HIGH = A > 16 ? A - 16 : 1;
            wire [31:0] padded = {{(32 - A){1'b0}}, a};
            reg [15:0] low_a, b1;
            reg [HIGH-1:0] high_a;
            (* keep *) reg [31:0] low2;
            (* keep *) reg [HIGH+15:0] high2;
            reg [31:0] low3;
            reg [HIGH+15:0] high3;
            reg [A-1:0] sum4;
            reg [1:0] below4;
            wire [A+B+32:0] wide = {{(A + B + 1){1'b0}}, low3} + ({{(A + B + 17 - HIGH){1'b0}}, high3} << 16);
            wire unused = &{1'b0, padded, wide};
            wire [B:0] low = {wide[B-1:0], 1'b0};
            always @(posedge clk) begin
                low_a <= padded[15:0];
                high_a <= padded[16 +: HIGH];
                b1 <= {{(16 - B){1'b0}}, b};
                low2 <= low_a * b1;
                high2 <= high_a * b1;
                low3 <= low2;
                high3 <= high2;
                sum4 <= wide[A+B-1:B];
                below4 <= {low[B], low[B-1:0] != 0};
            end
            assign product = sum4;
            assign below = below4;
        end else begin : in_logic
            localparam STAGES = (B + 1) / 2;
            localparam ODD = B % 2;         // the last stage then has one bit
            genvar k;
            wire [A-1:0] one [0:STAGES];
            wire [A+1:0] three [0:STAGES];
            wire [2*STAGES-1:0] rest [0:STAGES];
            wire [A+1:0] part [0:STAGES];
            wire [2*STAGES+1:0] lost;
            reg [A-1:0] one0;
            reg [A+1:0] three0;
            reg [2*STAGES-1:0] rest0;
            always @(posedge clk) begin
                one0 <= a;
                three0 <= {2'b0, a} + {1'b0, a, 1'b0};
                rest0 <= {{(2 * STAGES - B){1'b0}}, b};
            end
            assign one[0] = one0;
            assign three[0] = three0;
            assign rest[0] = rest0;
            assign part[0] = 0;
            assign lost[1:0] = 0;
            for (k = 0; k < STAGES; k = k + 1) begin : stage
                reg [A-1:0] one_k;
                reg [A+1:0] three_k, part_k;
                reg [2*STAGES-1:0] rest_k;
                reg [1:0] lost_k;
                wire [1:0] digit = rest[k][1:0];
                wire [A+1:0] times = digit == 0 ? 0 : digit == 1 ? {2'b0, one[k]} : digit == 2 ? {1'b0, one[k], 1'b0}
                    : three[k];
                // part < 2^A, times < 3 * 2^A: the sum fits A + 2 bits
                wire [A+1:0] sum = part[k] + times;
                always @(posedge clk) begin
                    one_k <= one[k];
                    three_k <= three[k];
                    rest_k <= rest[k] >> 2;
                    lost_k <= ODD != 0 && k == STAGES - 1 ? {sum[0], |lost[2*k +: 2]}
                        : {sum[1], sum[0] || |lost[2*k +: 2]};
                    part_k <= ODD != 0 && k == STAGES - 1 ? sum >> 1 : sum >> 2;
                end
                assign one[k+1] = one_k;
                assign three[k+1] = three_k;
                assign rest[k+1] = rest_k;
                assign part[k+1] = part_k;
                assign lost[2*k+2 +: 2] = lost_k;
            end
            assign product = part[STAGES][A-1:0];
            assign below = lost[2*STAGES +: 2];
        end
    endgenerate
endmodule
