// widen: BYTES bytes, the highest first, become one word; ready/valid on both sides.
module widen #(
    parameter WIDTH = 18,
    parameter BYTES = 3
) (
    input  wire             clk,
    input  wire             rst,
    input  wire             in_valid,
    output wire             in_ready,
    input  wire [7:0]       in_byte,
    output reg              out_valid,
    input  wire             out_ready,
    output wire [WIDTH-1:0] out_word
);
    reg [8*BYTES-1:0] shift;
    reg [3:0] count;
    wire take = in_valid && in_ready;
    wire last = count == BYTES[3:0] - 4'd1;
    wire unused = &{1'b0, shift};

    assign in_ready = !out_valid;
    assign out_word = shift[WIDTH-1:0];

    always @(posedge clk) begin
        if (out_valid && out_ready) out_valid <= 0;
        if (take) begin
            shift <= {shift[8*BYTES-9:0], in_byte};
            count <= last ? 4'd0 : count + 4'd1;
            out_valid <= last;
        end
        if (rst) begin
            count <= 0;
            out_valid <= 0;
        end
    end
endmodule
