// ram: one write port, one read port; a word is there two clocks after its address.
//
// LOOSE = 1: nobody looks at a word that was written in the very clock it was read.
module ram #(
    parameter WIDTH = 8,
    parameter ADDRESS = 4,
    parameter DEPTH = 16,
    parameter LOOSE = 0
) (
    input  wire               clk,
    input  wire               write,
    input  wire [ADDRESS-1:0] write_address,
    input  wire [WIDTH-1:0]   write_word,
    input  wire [ADDRESS-1:0] address,
    output reg  [WIDTH-1:0]   word
);
    reg [WIDTH-1:0] latch;

    always @(posedge clk) word <= latch;

    generate
        if (LOOSE != 0) begin : loose
            (* no_rw_check *)
            reg [WIDTH-1:0] memory [0:DEPTH-1];
            always @(posedge clk) begin
                if (write) memory[write_address] <= write_word;
                latch <= memory[address];
            end
        end else begin : strict
            reg [WIDTH-1:0] memory [0:DEPTH-1];
            always @(posedge clk) begin
                if (write) memory[write_address] <= write_word;
                latch <= memory[address];
            end
        end
    endgenerate
endmodule
