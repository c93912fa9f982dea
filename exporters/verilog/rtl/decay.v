// decay: |V| after some ticks without input.  KIND 0: it stays.  1, linear: |V| - rate * age.  2, lut: |V| * coarse *
// fine, each product >> FACTOR and rounded down (FX-LIF v1).
//
// LATENCY clocks from in to out; a pipeline without a stall.  An index of 0 is the identity and is not looked up.
module decay #(
    parameter KIND = 2,
    parameter V = 23,                       // bits of |V|
    parameter AGE = 10,
    parameter RATE = 8,
    parameter FACTOR = 16,
    parameter COARSE = 6,                   // bits of an address of the coarse tables
    parameter FINE = 6,
    parameter FINE_BITS = 6,                // age >> FINE_BITS is the coarse index; + 2 per step
    parameter STEPS = 1,                    // 1 .. 4 such steps
    parameter DSP = 0,
    parameter LATENCY = 1,
    parameter COARSE_FILE = "coarse.hex",
    parameter FINE_FILE = "fine.hex"
) (
    input  wire              clk,
    input  wire [V-1:0]      size,
    input  wire [AGE-1:0]    age,
    input  wire              none,          // no decay, whatever KIND
    input  wire              gone,          // 0 by now
    input  wire [RATE-1:0]   rate,
    input  wire [COARSE-1:0] coarse_base,   // of this neuron's tables
    input  wire [FINE-1:0]   fine_base,
    input  wire [1:0]        step,
    output wire [V-1:0]      left
);
    generate
        if (KIND == 0) begin : kept
            wire unused = &{1'b0, age, none, rate, coarse_base, fine_base, step};
            later #(.WIDTH(V), .LENGTH(LATENCY)) side (.clk(clk), .in_word(gone ? {V{1'b0}} : size), .out_word(left));
        end else if (KIND == 1) begin : linear
            // the product from the high end of age, one bit per stage; too large for V means that nothing is left
            genvar k;
            wire unused = &{1'b0, coarse_base, fine_base, step};
            wire [V:0] lost [0:AGE];
            wire [AGE-1:0] bits [0:AGE];
            wire [V-1:0] size_of [0:AGE];
            wire [RATE-1:0] rate_of [0:AGE];
            assign lost[0] = 0;
            assign bits[0] = none ? 0 : age;
            assign size_of[0] = gone ? {V{1'b0}} : size;
            assign rate_of[0] = rate;
            for (k = 0; k < AGE; k = k + 1) begin : stage
                reg [V:0] lost_k;
                reg [AGE-1:0] bits_k;
                reg [V-1:0] size_k;
                reg [RATE-1:0] rate_k;
                wire [V+1:0] next = {lost[k][V-1:0], 1'b0}
                    + (bits[k][AGE-1] ? {{(V + 2 - RATE){1'b0}}, rate_of[k]} : {(V + 2){1'b0}});
                always @(posedge clk) begin
                    lost_k <= {lost[k][V] | lost[k][V-1] | next[V], next[V-1:0]};
                    bits_k <= bits[k] << 1;
                    size_k <= size_of[k];
                    rate_k <= rate_of[k];
                end
                assign lost[k+1] = lost_k;
                assign bits[k+1] = bits_k;
                assign size_of[k+1] = size_k;
                assign rate_of[k+1] = rate_k;
            end
            reg [V:0] difference;
            always @(posedge clk) difference <= {1'b0, size_of[AGE]} - {1'b0, lost[AGE][V-1:0]};
            reg over;
            always @(posedge clk) over <= lost[AGE][V];
            reg [V-1:0] result;
            always @(posedge clk) result <= over || difference[V] ? {V{1'b0}} : difference[V-1:0];
            assign left = result;
        end else begin : lut
            localparam PRODUCT = DSP != 0 ? 4 : 1 + (FACTOR + 1) / 2;
            // 1: indices; 2: addresses; 4: factors; then coarse product, its choice, fine product, its choice
            reg [AGE-1:0] coarse1, fine1;
            reg [COARSE-1:0] coarse_base1, coarse2;
            reg [FINE-1:0] fine_base1, fine2;
            reg coarse_id2, fine_id2;
            // AGE + 8 bits, so that the masks fit whatever AGE is
            wire [AGE+7:0] wide = {8'd0, age};
            wire [AGE+7:0] high = step == 0 || STEPS == 1 ? wide >> FINE_BITS : step == 1 ? wide >> (FINE_BITS + 2)
                : step == 2 ? wide >> (FINE_BITS + 4) : wide >> (FINE_BITS + 6);
            wire [AGE+7:0] mask = step == 0 || STEPS == 1 ? ~({(AGE + 8){1'b1}} << FINE_BITS)
                : step == 1 ? ~({(AGE + 8){1'b1}} << (FINE_BITS + 2)) : step == 2
                ? ~({(AGE + 8){1'b1}} << (FINE_BITS + 4)) : ~({(AGE + 8){1'b1}} << (FINE_BITS + 6));
            wire [AGE+7:0] low = wide & mask;
            wire unused = &{1'b0, rate, high[AGE+7:AGE], low[AGE+7:AGE]};
            reg none1;
            reg [AGE-1:0] unused_coarse, unused_fine;
            always @(posedge clk) begin
                none1 <= none;
                coarse1 <= high[AGE-1:0];
                fine1 <= low[AGE-1:0];
                coarse_base1 <= coarse_base;
                fine_base1 <= fine_base;
                {unused_coarse, coarse2} <= {{AGE{1'b0}}, coarse_base1} + {{COARSE{1'b0}}, coarse1};
                {unused_fine, fine2} <= {{AGE{1'b0}}, fine_base1} + {{FINE{1'b0}}, fine1};
                coarse_id2 <= none1 || coarse1 == 0;
                fine_id2 <= none1 || fine1 == 0;
            end
            wire [FACTOR-1:0] coarse4, fine4;
            wire [FINE-1:0] fine_late;
            wire coarse_id, fine_id;
            wire [1:0] unused_below_a, unused_below_b;
            wire [V-1:0] size4, size_a, product_a, product_b, size_b;
            reg [V-1:0] after_a, after_b;
            later #(.WIDTH(V), .LENGTH(4)) until_4 (.clk(clk), .in_word(gone ? {V{1'b0}} : size), .out_word(size4));
            rom #(.WIDTH(FACTOR), .ADDRESS(COARSE), .FILE(COARSE_FILE)) coarse (
                .clk(clk), .enable_1(1'b1), .enable_2(1'b1), .address(coarse2), .word(coarse4));
            multiply #(.A(V), .B(FACTOR), .DSP(DSP)) first (.clk(clk), .a(size4), .b(coarse4), .product(product_a),
                .below(unused_below_a));
            later #(.WIDTH(V), .LENGTH(PRODUCT)) beside_a (.clk(clk), .in_word(size4), .out_word(size_a));
            later #(.WIDTH(1), .LENGTH(2 + PRODUCT)) id_a (.clk(clk), .in_word(coarse_id2), .out_word(coarse_id));
            always @(posedge clk) after_a <= coarse_id ? size_a : product_a;
            later #(.WIDTH(FINE), .LENGTH(PRODUCT + 1)) fine_wait (.clk(clk), .in_word(fine2), .out_word(fine_late));
            rom #(.WIDTH(FACTOR), .ADDRESS(FINE), .FILE(FINE_FILE)) fine (
                .clk(clk), .enable_1(1'b1), .enable_2(1'b1), .address(fine_late), .word(fine4));
            multiply #(.A(V), .B(FACTOR), .DSP(DSP)) second (.clk(clk), .a(after_a), .b(fine4), .product(product_b),
                .below(unused_below_b));
            later #(.WIDTH(V), .LENGTH(PRODUCT)) beside_b (.clk(clk), .in_word(after_a), .out_word(size_b));
            later #(.WIDTH(1), .LENGTH(3 + 2 * PRODUCT)) id_b (.clk(clk), .in_word(fine_id2), .out_word(fine_id));
            always @(posedge clk) after_b <= fine_id ? size_b : product_b;
            assign left = after_b;
        end
    endgenerate
endmodule
