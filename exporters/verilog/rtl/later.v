// later: a word, LENGTH clocks later.
module later #(
    parameter WIDTH = 8,
    parameter LENGTH = 1
) (
    input  wire             clk,
    input  wire [WIDTH-1:0] in_word,
    output wire [WIDTH-1:0] out_word
);
    generate
        if (LENGTH == 0) begin : now
            wire unused = clk;
            assign out_word = in_word;
        end else if (LENGTH == 1) begin : one
            reg [WIDTH-1:0] line;
            always @(posedge clk) line <= in_word;
            assign out_word = line;
        end else begin : more
            reg [WIDTH*LENGTH-1:0] line;
            always @(posedge clk) line <= {line[WIDTH*(LENGTH-1)-1:0], in_word};
            assign out_word = line[WIDTH*LENGTH-1 -: WIDTH];
        end
    endgenerate
endmodule
