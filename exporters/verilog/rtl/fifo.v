// fifo: a queue of 2^DEEP words with ready/valid on both sides, for small depths (its memory is registers).
module fifo #(
    parameter WIDTH = 8,
    parameter DEEP = 1
) (
    input  wire             clk,
    input  wire             rst,
    input  wire             in_valid,
    output wire             in_ready,
    input  wire [WIDTH-1:0] in_word,
    output wire             out_valid,
    input  wire             out_ready,
    output wire [WIDTH-1:0] out_word
);
    reg [WIDTH-1:0] memory [0:(1 << DEEP)-1];
    reg [DEEP:0] head, tail;                // one bit more than an address: full and empty differ

    assign in_ready = head != {~tail[DEEP], tail[DEEP-1:0]};
    assign out_valid = head != tail;
    assign out_word = memory[tail[DEEP-1:0]];

    always @(posedge clk) begin
        if (in_valid && in_ready) begin
            memory[head[DEEP-1:0]] <= in_word;
            head <= head + 1'b1;
        end
        if (out_valid && out_ready) tail <= tail + 1'b1;
        if (rst) begin
            head <= 0;
            tail <= 0;
        end
    end
endmodule
