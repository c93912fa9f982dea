// narrow: a word becomes BYTES bytes, the highest first; ready/valid on both sides.
module narrow #(
    parameter WIDTH = 18,
    parameter BYTES = 3
) (
    input  wire             clk,
    input  wire             rst,
    input  wire             in_valid,
    output wire             in_ready,
    input  wire [WIDTH-1:0] in_word,
    output wire             out_valid,
    input  wire             out_ready,
    output wire [7:0]       out_byte
);
    reg [8*BYTES-1:0] shift;
    reg [3:0] left;

    assign in_ready = left == 0;
    assign out_valid = left != 0;
    assign out_byte = shift[8*BYTES-1 -: 8];

    always @(posedge clk) begin
        if (in_valid && in_ready) begin
            shift <= {{(8 * BYTES - WIDTH){1'b0}}, in_word};
            left <= BYTES[3:0];
        end else if (out_valid && out_ready) begin
            shift <= shift << 8;
            left <= left - 4'd1;
        end
        if (rst) left <= 0;
    end
endmodule
