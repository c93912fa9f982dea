// flags: words of 16 bits; writes one bit, or clears a word, and reads into a register.
module flags #(
    parameter AT = 4
) (
    input  wire          clk,
    input  wire          enable,
    input  wire [AT-1:0] read_at,
    output reg  [15:0]   word,
    input  wire          write,
    input  wire [AT+3:0] write_at,
    input  wire          value,
    input  wire          clear,             // word clear_at; never with `write`
    input  wire [AT-1:0] clear_at
);
    (* no_rw_check *)
    reg [15:0] memory [0:(1 << AT)-1];
    wire [15:0] mask = clear ? 16'hffff : {15'd0, write} << write_at[3:0];
    wire [AT-1:0] at = clear ? clear_at : write_at[AT+3:4];
    integer k;

    always @(posedge clk) begin
        if (enable) word <= memory[read_at];
        for (k = 0; k < 16; k = k + 1)
            if (mask[k]) memory[at][k] <= value && !clear;
    end
endmodule
