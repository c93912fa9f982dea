// rounded: x / 2^(LEAST + shift), signed; one clock per bit of `shift`, and one more.
//
//   ROUNDING   0 DOWN, toward zero;  1 FLOOR;  2 ROUND, to nearest, ties to even
//
// What is shifted out is kept as two bits: its highest one, and whether there was any below it.
module rounded #(
    parameter W = 24,
    parameter SHIFT = 3,                    // bits of `shift`; 0: there is LEAST alone
    parameter LEAST = 0,                    // 0 .. 63
    parameter ROUNDING = 0
) (
    input  wire                clk,
    input  wire signed [W-1:0] x,
    input  wire [(SHIFT > 0 ? SHIFT : 1)-1:0] shift,
    output reg  signed [W-1:0] y
);
    localparam S = SHIFT > 0 ? SHIFT : 1;
    genvar k;
    wire [W+63:0] far = {{64{x[W-1]}}, x};
    wire [W+64:0] out = {far, 1'b0} & ~({(W + 65){1'b1}} << (LEAST + 1));       // a bit further to the left
    wire unused = &{1'b0, far, out, shift, amount[SHIFT*S +: S]};
    wire [(SHIFT+1)*W-1:0] value;
    wire [(SHIFT+1)*2-1:0] below;
    wire [(SHIFT+1)*S-1:0] amount;
    assign value[W-1:0] = far[LEAST +: W];
    assign below[1:0] = {out[LEAST], (out & ~({{(W + 64){1'b0}}, 1'b1} << LEAST)) != 0};
    assign amount[S-1:0] = shift;

    generate
        for (k = 0; k < SHIFT; k = k + 1) begin : stage
            localparam BY = 1 << k;
            wire [W-1:0] now = value[k*W +: W];
            wire [W+BY-1:0] wide = {{BY{now[W-1]}}, now};
            wire [BY-1:0] lost = wide[BY-1:0];
            wire [BY:0] rest = {1'b0, lost[BY-1:0]} << 1;       // without its highest bit
            wire [S-1:0] left = amount[k*S +: S];
            reg [W-1:0] value_k;
            reg [1:0] below_k;
            reg [S-1:0] amount_k;
            wire unused_rest = rest[BY];
            always @(posedge clk) begin
                value_k <= left[k] ? wide[BY +: W] : now;
                below_k <= left[k] ? {lost[BY-1], rest[BY-1:0] != 0 || below[2*k +: 2] != 0} : below[2*k +: 2];
                amount_k <= left;
            end
            assign value[(k+1)*W +: W] = value_k;
            assign below[2*k+2 +: 2] = below_k;
            assign amount[(k+1)*S +: S] = amount_k;
        end
    endgenerate

    wire [W-1:0] whole = value[SHIFT*W +: W];
    wire high = below[2*SHIFT+1], low = below[2*SHIFT];
    wire up = ROUNDING == 0 ? whole[W-1] && (high || low) : ROUNDING == 1 ? 1'b0 : high && (low || whole[0]);
    always @(posedge clk) y <= whole + {{(W - 1){1'b0}}, up};
endmodule
