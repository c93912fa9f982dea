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
    reg [DEEP-1:0] head, tail;
    reg [DEEP:0] count;
    reg full, some;                         // of count, known early
    wire push = in_valid && !full;
    wire pop = some && out_ready;
    wire [DEEP:0] next = count + {{DEEP{1'b0}}, push} - {{DEEP{1'b0}}, pop};

    assign in_ready = !full;
    assign out_valid = some;
    assign out_word = memory[tail];

    always @(posedge clk) begin
        count <= next;
        full <= next[DEEP];
        some <= next != 0;
        if (!full) memory[head] <= in_word;      // nobody reads it before `head` has moved on
        if (push) head <= head + 1'b1;
        if (pop) tail <= tail + 1'b1;
        if (rst) begin
            count <= 0;
            full <= 0;
            some <= 0;
            head <= 0;
            tail <= 0;
        end
    end
endmodule
