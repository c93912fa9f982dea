// fifo_proof: nothing is lost, invented or overtaken in fifo.v, it never overflows, and an offered word stays.
module fifo_proof (
    input wire       clk,
    input wire       rst,
    input wire       in_valid,
    input wire [1:0] in_word,
    input wire       out_ready
);
    wire in_ready, out_valid;
    wire [1:0] out_word;
    fifo #(.WIDTH(2), .DEEP(1)) dut (.clk(clk), .rst(rst), .in_valid(in_valid), .in_ready(in_ready), .in_word(in_word),
                                     .out_valid(out_valid), .out_ready(out_ready), .out_word(out_word));
    // the word number `which`, any of the first sixteen, comes out as it went in
    (* anyconst *) reg [3:0] which;
    reg [4:0] sent, received;
    reg [1:0] seen;
    reg past;
    reg [1:0] last_word;
    reg held;
    initial past = 0;
    always @(posedge clk) begin
        past <= 1;
        if (!past) assume (rst);
        held <= !rst && out_valid && !out_ready;
        last_word <= out_word;
        if (rst) begin
            sent <= 0;
            received <= 0;
        end else begin
            if (in_valid && in_ready && !sent[4]) begin
                sent <= sent + 1'b1;
                if (sent[3:0] == which) seen <= in_word;
            end
            if (out_valid && out_ready && !received[4]) received <= received + 1'b1;
        end
        if (past && !rst && !sent[4]) begin
            assert (received <= sent);
            assert (sent - received <= 2);
            assert (out_valid == (sent != received));
            assert (in_ready == (sent - received != 2));
            if (out_valid && out_ready && received[3:0] == which) assert (out_word == seen);
            if (held) assert (out_valid && out_word == last_word);
        end
    end
endmodule
