// rom: a memory that nobody writes, read in two clocks: its own register, then one in logic.
//
// Both registers have an enable, so that the memory can stand in an elastic pipeline; tie them to 1 elsewhere.
// One that is too small for a block is logic: of it, a quarter is read in the first clock, and chosen in the second.
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
    localparam SMALL = 1024;                // bits
    reg [WIDTH-1:0] memory [0:(1 << ADDRESS)-1];

    initial $readmemh(FILE, memory);

    generate
        if (ADDRESS > 4 && WIDTH << ADDRESS <= SMALL) begin : quarters
            reg [WIDTH-1:0] latch0, latch1, latch2, latch3;
            reg [1:0] quarter;
            wire [ADDRESS-3:0] low = address[ADDRESS-3:0];
            always @(posedge clk) begin
                if (enable_1) begin
                    latch0 <= memory[{2'd0, low}];
                    latch1 <= memory[{2'd1, low}];
                    latch2 <= memory[{2'd2, low}];
                    latch3 <= memory[{2'd3, low}];
                    quarter <= address[ADDRESS-1:ADDRESS-2];
                end
                if (enable_2) word <= quarter[1] ? (quarter[0] ? latch3 : latch2) : quarter[0] ? latch1 : latch0;
            end
        end else begin : whole
            reg [WIDTH-1:0] latch;
            always @(posedge clk) begin
                if (enable_1) latch <= memory[address];
                if (enable_2) word <= latch;
            end
        end
    endgenerate
endmodule
