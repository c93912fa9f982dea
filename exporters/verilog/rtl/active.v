// active: which neurons a tick has to visit: those that received something and those that are awake, in ascending order.
//
// `touched` bits are as in touched.v: per slot, two banks, set by synapses, erased when they are read.  A neuron's awake
// bit is written when its visit ends, so that nobody erases it.  A tick for which there is no bit at all reads nothing.
//
//   word of 16 bits -> queue -> its nibbles that are not empty -> their bits -> neuron      one neuron per clock
module active #(
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
    input  wire              mark,          // a visit has ended: of this neuron, which stays awake or sleeps
    input  wire [NEURON-1:0] mark_neuron,
    input  wire              mark_awake,
    input  wire              clear,         // the words of this number
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

    // whether there is anything to read
    reg [SLOTS-1:0] any;                    // a synapse touched this slot
    reg some;                               // a neuron is awake
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
    reg [HIGH-1:0] at1, at2, at3, high_e;
    reg v1, v2, v3, hit2, hit3, erasing;
    reg [15:0] word2, word3;
    reg [3:0] full3;                        // its nibbles that are not empty
    wire [15:0] read0, read1, awake1;
    wire bank = slot[0];
    wire [15:0] touched1 = bank ? read1 : read0;
    wire setting = touch && touch_bank == bank;
    wire erase = erasing && !setting;       // a synapse goes first
    wire room;
    wire go3 = !v3 || full3 == 0 || room;
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
    flags #(.AT(HIGH)) awake (
        .clk(clk), .enable(go1), .read_at(at0[HIGH-1:0]), .word(awake1), .write(mark), .write_at(mark_neuron),
        .value(mark_awake), .clear(clear), .clear_at(clear_word[HIGH-1:0]));

    // words that are not empty
    wire f_valid, f_hit;
    wire [HIGH-1:0] f_high;
    wire [3:0] f_full;
    wire [15:0] f_word;
    wire load_a;
    fifo #(.WIDTH(1 + HIGH + 4 + 16), .DEEP(1)) words (
        .clk(clk), .rst(rst), .in_valid(v3 && full3 != 0), .in_ready(room), .in_word({hit3, at3, full3, word3}),
        .out_valid(f_valid), .out_ready(load_a), .out_word({f_hit, f_high, f_full, f_word}));

    // nibbles, then bits, lowest first; `rest` is without that one
    reg va, vb;
    reg [15:0] a;
    reg [3:0] full_a, b;
    reg [HIGH-1:0] high_a, high_b;
    reg [1:0] which_b;
    wire n_room, n_valid;
    wire [HIGH-1:0] n_high;
    wire [1:0] n_which;
    wire [3:0] n_bits;
    wire [3:0] rest_a = full_a & {full_a[2:0] != 0, full_a[1:0] != 0, full_a[0], 1'b0};
    wire [3:0] rest_b = b & {b[2:0] != 0, b[1:0] != 0, b[0], 1'b0};
    wire step_a = va && n_room;
    wire step_b = vb && (!valid || ready);
    wire load_b = n_valid && (!vb || (step_b && rest_b == 0));
    assign load_a = f_valid && (!va || (step_a && rest_a == 0)) && (!erasing || !setting);
    wire [1:0] which_a = full_a[0] ? 2'd0 : full_a[1] ? 2'd1 : full_a[2] ? 2'd2 : 2'd3;
    assign idle = !started && !scanning && !v1 && !v2 && !v3 && !f_valid && !erasing && !va && !n_valid && !vb && !valid;
    fifo #(.WIDTH(HIGH + 2 + 4), .DEEP(1)) nibbles (
        .clk(clk), .rst(rst), .in_valid(va), .in_ready(n_room), .in_word({high_a, which_a, a[{which_a, 2'b0} +: 4]}),
        .out_valid(n_valid), .out_ready(load_b), .out_word({n_high, n_which, n_bits}));

    always @(posedge clk) begin
        started <= start;
        if (started) begin                  // one clock later: `slot` is the new one
            any[slot] <= 0;
            some <= 0;
            if (any[slot] || some || all) at0 <= 0;
        end else if (scanning && go1) at0 <= at0 + 1'b1;
        if (touch) any[touch_slot] <= 1;
        if (mark && mark_awake) some <= 1;
        if (go1) begin
            v1 <= scanning;
            at1 <= at0[HIGH-1:0];
        end
        if (go2) begin
            v2 <= v1;
            at2 <= at1;
            word2 <= all ? 16'hffff : touched1 | awake1;
            hit2 <= touched1 != 0;
        end
        if (go3) begin
            v3 <= v2;
            at3 <= at2;
            word3 <= word2;
            hit3 <= hit2;
            full3 <= {|word2[15:12], |word2[11:8], |word2[7:4], |word2[3:0]};
        end
        if (load_a) begin
            erasing <= f_hit;
            high_e <= f_high;
        end else if (erase) erasing <= 0;
        if (load_a) begin
            va <= 1;
            a <= f_word;
            full_a <= f_full;
            high_a <= f_high;
        end else if (step_a) begin
            va <= rest_a != 0;
            full_a <= rest_a;
        end
        if (load_b) begin
            vb <= 1;
            b <= n_bits;
            which_b <= n_which;
            high_b <= n_high;
        end else if (step_b) begin
            vb <= rest_b != 0;
            b <= rest_b;
        end
        if (!valid || ready) begin
            valid <= vb;
            neuron <= {high_b, which_b, b[0] ? 2'd0 : b[1] ? 2'd1 : b[2] ? 2'd2 : 2'd3};
        end
        if (rst) begin
            any <= 0;
            some <= 0;
            started <= 0;
            at0 <= {1'b1, {HIGH{1'b0}}};
            v1 <= 0;
            v2 <= 0;
            v3 <= 0;
            erasing <= 0;
            va <= 0;
            vb <= 0;
            valid <= 0;
        end
    end
endmodule
