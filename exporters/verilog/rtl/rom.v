// rom: a memory that nobody writes, read in two clocks: its own register, then one in logic.
//
// Both registers have an enable, so that the memory can stand in an elastic pipeline; tie them to 1 elsewhere.
module rom #(
    parameter WIDTH = 8,
    parameter ADDRESS = 4,                  // bits; the memory has 2^ADDRESS words
    parameter FILE = "rom.hex"
) (
    input  wire               clk,
    input  wire               enable_1,
    input  wire               enable_2,
    input  wire [ADDRESS-1:0] address,
    output reg  [WIDTH-1:0]   word          // of the address two enabled clocks ago
);
    reg [WIDTH-1:0] memory [0:(1 << ADDRESS)-1];
    reg [WIDTH-1:0] latch;

    initial $readmemh(FILE, memory);

    always @(posedge clk) begin
        if (enable_1) latch <= memory[address];
        if (enable_2) word <= latch;
    end
endmodule
