// aer_out: the sending end of a 4-phase handshake, as ODIN's.
//
//   req rises with a stable word;  ack rises when it was taken;  req falls;  ack falls
module aer_out #(
    parameter WIDTH = 18
) (
    input  wire             clk,
    input  wire             rst,
    input  wire             valid,
    output wire             ready,
    input  wire [WIDTH-1:0] word,
    output reg              req,
    input  wire             ack,
    output reg  [WIDTH-1:0] aer
);
    reg ack1, ack2;
    reg loaded;                             // `aer` holds a word; req follows a clock later, when it is stable
    assign ready = !loaded && !ack2;

    always @(posedge clk) begin
        ack1 <= ack;
        ack2 <= ack1;
        if (valid && ready) begin
            aer <= word;
            loaded <= 1;
        end
        if (loaded && !ack2) req <= 1;
        if (req && ack2) begin
            req <= 0;
            loaded <= 0;
        end
        if (rst) begin
            ack1 <= 0;
            ack2 <= 0;
            req <= 0;
            loaded <= 0;
        end
    end
endmodule
