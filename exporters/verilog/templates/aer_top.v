// aer_top: top behind 4-phase REQ/ACK ports for another clock domain.
module aer_top #(
    parameter DSP = 0
) (
    input  wire        clk,
    input  wire        rst,
    input  wire        in_req,
    output wire        in_ack,
    input  wire [$high:0] in_aer,
    output wire        out_req,
    input  wire        out_ack,
    output wire [$high:0] out_aer
);
    reg rst1, rst2;                         // the pin may change at any time
    wire told, taken, say, heard;
    wire [$high:0] telling, saying;
    always @(posedge clk) {rst1, rst2} <= {rst, rst1};

    aer_in #(.WIDTH($width)) aer_in (
        .clk(clk), .rst(rst2), .req(in_req), .ack(in_ack), .aer(in_aer), .valid(told), .ready(taken), .word(telling));
    top #(.DSP(DSP)) top (
        .clk(clk), .rst(rst2), .in_valid(told), .in_ready(taken), .in_word(telling), .out_valid(say),
        .out_ready(heard), .out_word(saying));
    aer_out #(.WIDTH($width)) aer_out (
        .clk(clk), .rst(rst2), .valid(say), .ready(heard), .word(saying), .req(out_req), .ack(out_ack), .aer(out_aer));
endmodule
