// aer_in: the receiving end of a 4-phase handshake, as ODIN's: words from another clock domain become ready/valid.
//
//   req rises with a stable word;  ack rises when it was taken;  req falls;  ack falls
module aer_in #(
    parameter WIDTH = 18
) (
    input  wire             clk,
    input  wire             rst,
    input  wire             req,
    output reg              ack,
    input  wire [WIDTH-1:0] aer,
    output reg              valid,
    input  wire             ready,
    output reg  [WIDTH-1:0] word
);
    reg req1, req2;                         // two registers against metastability; `aer` has been stable by then

    always @(posedge clk) begin
        req1 <= req;
        req2 <= req1;
        if (valid && ready) valid <= 0;
        if (req2 && !ack && (!valid || ready)) begin
            word <= aer;
            valid <= 1;
            ack <= 1;
        end else if (!req2) ack <= 0;
        if (rst) begin
            req1 <= 0;
            req2 <= 0;
            valid <= 0;
            ack <= 0;
        end
    end
endmodule
