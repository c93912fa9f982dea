// bits: words of 16 bits; sets one bit, or erases a word (never both), and reads into a register.
module bits #(
    parameter AT = 4,
    parameter WORDS = 16
) (
    input  wire          clk,
    input  wire          enable,
    input  wire [AT-1:0] read_at,
    output reg  [15:0]   word,
    input  wire          set,
    input  wire [AT+3:0] set_at,
    input  wire          erase,
    input  wire [AT-1:0] erase_at
);
    (* no_rw_check *)
    reg [15:0] memory [0:WORDS-1];
    wire [15:0] mask = set ? 16'd1 << set_at[3:0] : {16{erase}};
    wire [AT-1:0] at = set ? set_at[AT+3:4] : erase_at;
    integer k;

    always @(posedge clk) begin
        if (enable) word <= memory[read_at];
        for (k = 0; k < 16; k = k + 1)
            if (mask[k]) memory[at][k] <= set;
    end
endmodule
