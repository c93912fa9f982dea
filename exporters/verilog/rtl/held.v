// held: x in a register of W bits.  SATURATION  0 symmetric, -(2^(W-1) - 1) ..;  1 full, -2^(W-1) ..;  2 wrap
module held #(
    parameter T = 26,                       // more than W
    parameter W = 24,
    parameter SATURATION = 0
) (
    input  wire [T-1:0] x,
    output wire [W-1:0] y
);
    wire minus = x[T-1];
    wire fits = x[T-1:W-1] == {(T - W + 1){minus}};
    wire lowest = x[W-2:0] == 0 && minus && SATURATION == 0;
    assign y = SATURATION == 2 ? x[W-1:0] : fits ? {x[W-1:1], x[0] || lowest}
        : {minus, {(W - 2){!minus}}, !minus || SATURATION == 0};
endmodule
