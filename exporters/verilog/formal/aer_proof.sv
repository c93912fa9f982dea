// aer_proof: aer_out into aer_in: four phases in their order, a word stable while it is asked for, none lost or invented.
module aer_proof (
    input wire       clk,
    input wire       rst,
    input wire       in_valid,
    input wire [1:0] in_word,
    input wire       out_ready
);
    wire in_ready, out_valid, req, ack;
    wire [1:0] out_word, aer;
    aer_out #(.WIDTH(2)) sender (.clk(clk), .rst(rst), .valid(in_valid), .ready(in_ready), .word(in_word), .req(req),
                                 .ack(ack), .aer(aer));
    aer_in #(.WIDTH(2)) receiver (.clk(clk), .rst(rst), .req(req), .ack(ack), .aer(aer), .valid(out_valid),
                                  .ready(out_ready), .word(out_word));
    (* anyconst *) reg [1:0] which;
    reg [2:0] sent, received;
    reg [1:0] seen, last_aer;
    reg past, was_req, was_ack, was_rst;
    initial past = 0;
    always @(posedge clk) begin
        past <= 1;
        if (!past) assume (rst);
        was_req <= req;
        was_ack <= ack;
        was_rst <= rst;
        last_aer <= aer;
        if (rst) begin
            sent <= 0;
            received <= 0;
        end else begin
            if (in_valid && in_ready && !sent[2]) begin
                sent <= sent + 1'b1;
                if (sent[1:0] == which) seen <= in_word;
            end
            if (out_valid && out_ready && !received[2]) received <= received + 1'b1;
        end
        if (past && !rst && !was_rst) begin
            if (was_req && !was_ack) assert (req);                  // asked until it is taken
            if (!was_req && was_ack) assert (!req);                 // no new request before ack has fallen
            if (was_req && req) assert (aer == last_aer);           // stable
            if (!was_ack && ack) assert (was_req);                  // acknowledged only what was asked
        end
        if (past && !rst && !sent[2]) begin
            assert (received <= sent);
            if (out_valid && out_ready && received[1:0] == which) assert (out_word == seen && received != sent);
        end
    end
endmodule
