// queue: like fifo, but its words live in block RAM: 2^DEEP of them, and an output register that refills itself.
//
// Nobody may push into a full one: whoever pushes counts (sweep.v has the credits).
module queue #(
    parameter WIDTH = 8,
    parameter DEEP = 6
) (
    input  wire             clk,
    input  wire             rst,
    input  wire             push,
    input  wire [WIDTH-1:0] in_word,
    output reg              valid,
    input  wire             pop,            // only while valid
    output wire [WIDTH-1:0] word
);
    (* no_rw_check *)
    reg [WIDTH-1:0] memory [0:(1 << DEEP)-1];
    reg [WIDTH-1:0] latch, word_r;
    reg [DEEP-1:0] head, tail;              // written up to head, fetched up to tail
    reg latched;                            // the memory's output register holds a word
    wire move = latched && (!valid || pop);
    wire fetch = head != tail && (!latched || move);

    assign word = word_r;

    always @(posedge clk) begin
        if (push) memory[head] <= in_word;
        if (push) head <= head + 1'b1;
        if (fetch) latch <= memory[tail];
        if (fetch) tail <= tail + 1'b1;
        latched <= fetch || (latched && !move);
        if (move) word_r <= latch;
        valid <= move || (valid && !pop);
        if (rst) begin
            head <= 0;
            tail <= 0;
            latched <= 0;
            valid <= 0;
        end
    end
endmodule
