// bytes_top: top behind 8-bit ports, for packages with few pins: $bytes bytes a word, the highest first.
module bytes_top #(
    parameter DSP = 0
) (
    input  wire       clk,
    input  wire       rst,
    input  wire       in_valid,
    output wire       in_ready,
    input  wire [7:0] in_byte,
    output wire       out_valid,
    input  wire       out_ready,
    output wire [7:0] out_byte
);
    reg rst1, rst2;                         // the pin may change at any time
    wire told, taken, say, heard;
    wire [$high:0] telling, saying;
    always @(posedge clk) {rst1, rst2} <= {rst, rst1};

    widen #(.WIDTH($width), .BYTES($bytes)) widen (
        .clk(clk), .rst(rst2), .in_valid(in_valid), .in_ready(in_ready), .in_byte(in_byte), .out_valid(told),
        .out_ready(taken), .out_word(telling));
    top #(.DSP(DSP)) top (
        .clk(clk), .rst(rst2), .in_valid(told), .in_ready(taken), .in_word(telling), .out_valid(say),
        .out_ready(heard), .out_word(saying));
    narrow #(.WIDTH($width), .BYTES($bytes)) narrow (
        .clk(clk), .rst(rst2), .in_valid(say), .in_ready(heard), .in_word(saying), .out_valid(out_valid),
        .out_ready(out_ready), .out_byte(out_byte));
endmodule
