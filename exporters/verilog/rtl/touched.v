// touched: which neurons received something, per slot: one bit each, read out in ascending order.
//
// Two banks as the sums have.  A synapse sets a bit without reading (a mask of one bit); the sweep reads a slot's words,
// erases those that are not empty, and takes their bits out from the lowest.  A slot that nobody touched is not read.
module touched #(
    parameter NEURON = 8,                   // bits of a neuron's number, at least 5
    parameter SLOTS = 2,
    parameter SLOT = 1,
    parameter PLACE = 8
) (
    input  wire              clk,
    input  wire              rst,
    input  wire              touch,
    input  wire              touch_bank,
    input  wire [PLACE-1:0]  touch_place,   // {slot / 2, neuron}
    input  wire              clear,         // both banks' word of this number
    input  wire [PLACE-5:0]  clear_word,
    input  wire              start,         // pulse: read out ...
    input  wire [SLOT-1:0]   slot,          // ... this one, from the next clock on until idle
    input  wire              all,           // every neuron instead
    output wire              idle,
    output reg               valid,
    input  wire              ready,
    output reg  [NEURON-1:0] neuron
);
    localparam HIGH = NEURON - 4;           // bits of a word's number within a slot
    localparam WORDS = (SLOTS / 2) << HIGH;
    localparam AT = PLACE - 4;

    // which slots were touched at all
    reg [SLOTS-1:0] any;
    reg started;
    wire [SLOT-1:0] touch_slot;
    generate
        if (PLACE > NEURON) begin : many
            assign touch_slot = {touch_place[PLACE-1:NEURON], touch_bank};
        end else begin : two
            assign touch_slot = touch_bank;
        end
    endgenerate

    // the bits
    reg [HIGH:0] at0;                       // the word to read; its highest bit: no more
    reg [HIGH-1:0] at1, at2, at3, high_e, high_h;
    reg v1, v2, v3, ve, vh, some3;
    reg erasing;                            // the word that was taken last; a synapse goes first
    reg [15:0] word2, word3, e, h;
    wire [15:0] read0, read1;
    wire bank = slot[0];
    wire setting = touch && touch_bank == bank;
    wire erase = erasing && !setting;
    wire load = v3 && some3 && !ve && !erasing;
    wire go3 = !v3 || !some3 || (!ve && !erasing);
    wire go2 = !v2 || go3;
    wire go1 = !v1 || go2;
    wire scanning = !at0[HIGH];
    wire [AT-1:0] read_at, erase_at;
    generate
        if (PLACE > NEURON) begin : many_places
            assign read_at = {slot[SLOT-1:1], at0[HIGH-1:0]};
            assign erase_at = {slot[SLOT-1:1], high_e};
        end else begin : one_place
            assign read_at = at0[HIGH-1:0];
            assign erase_at = high_e;
        end
    endgenerate
    bits #(.AT(AT), .WORDS(WORDS)) bits0 (
        .clk(clk), .enable(go1), .read_at(read_at), .word(read0),
        .set(touch && !touch_bank), .set_at(touch_place), .erase(clear || (erase && !bank)),
        .erase_at(clear ? clear_word : erase_at));
    bits #(.AT(AT), .WORDS(WORDS)) bits1 (
        .clk(clk), .enable(go1), .read_at(read_at), .word(read1),
        .set(touch && touch_bank), .set_at(touch_place), .erase(clear || (erase && bank)),
        .erase_at(clear ? clear_word : erase_at));

    // lowest bit first
    wire [15:0] lower = e & (e - 1'b1);
    wire go_n = !valid || ready;
    wire go_h = !vh || go_n;
    wire [3:0] which = {|h[15:8], |(h & 16'hf0f0), |(h & 16'hcccc), |(h & 16'haaaa)};
    assign idle = !started && !scanning && !v1 && !v2 && !v3 && !erasing && !ve && !vh && !valid;

    always @(posedge clk) begin
        started <= start;
        if (started) begin                  // one clock later: `slot` is the new one
            any[slot] <= 0;
            if (any[slot] || all) at0 <= 0;
        end else if (scanning && go1) at0 <= at0 + 1'b1;
        if (touch) any[touch_slot] <= 1;
        if (go1) begin
            v1 <= scanning;
            at1 <= at0[HIGH-1:0];
        end
        if (go2) begin
            v2 <= v1;
            at2 <= at1;
            word2 <= bank ? read1 : read0;
        end
        if (go3) begin
            v3 <= v2;
            at3 <= at2;
            word3 <= all ? 16'hffff : word2;
            some3 <= all || word2 != 0;
        end
        if (load) erasing <= 1;
        else if (!setting) erasing <= 0;
        if (load) begin
            e <= word3;
            high_e <= at3;
            ve <= 1;
        end else if (ve && go_h) begin
            e <= lower;
            ve <= e != 0;                   // seen a clock late, which is short of a carry chain
        end
        if (go_h) begin
            vh <= ve && e != 0;
            h <= e & ~lower;
            high_h <= high_e;
        end
        if (go_n) begin
            valid <= vh;
            neuron <= {high_h, which};
        end
        if (rst) begin
            any <= 0;
            started <= 0;
            at0 <= {1'b1, {HIGH{1'b0}}};
            v1 <= 0;
            v2 <= 0;
            v3 <= 0;
            erasing <= 0;
            ve <= 0;
            vh <= 0;
            valid <= 0;
        end
    end
endmodule
