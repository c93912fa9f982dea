// top: the core with this network's parameters (parameters.vh) and memories (*.hex).  Written by eventsnn; data only.
module top #(
    parameter DSP = 0                       // 1: multiply in hard multipliers
) (
    input  wire        clk,
    input  wire        rst,
    input  wire        in_valid,
    output wire        in_ready,
    input  wire [$high:0] in_word,
    output wire        out_valid,
    input  wire        out_ready,
    output wire [$high:0] out_word
);
    `include "parameters.vh"
$wires    $core #(
$connections
    ) core (
        .clk(clk), .rst(rst), .in_valid(in_valid), .in_ready(in_ready), .in_word(in_word), .out_valid(out_valid),
        .out_ready(out_ready), .out_word(out_word)$more);
endmodule
