// cores: several event_cores and the router between them: the same words, in the same order, as of one large core.
//
// Neurons BASES[k] to BASES[k+1] - 1 live on core k, with all synapses that lead to them.  Every core hears every spike;
// a row of which it has no synapse is empty and takes a clock.  Cores are alike but for what their memories hold: rows,
// synapses and kinds of neurons are each core's own (rows00.hex, rows01.hex, ...), tables of kinds are the same in all.
module cores #(
    parameter CORES = 2,
    parameter [32*(CORES+1)-1:0] BASES = 0, // 32 bits each, the first lowest; one more, which is the number of neurons
    parameter NEURON = 8,
    parameter ROW = 9,
    parameter SYNAPSE = 12,
    parameter LENGTH = 8,
    parameter ARGUMENT = 16,
    parameter WEIGHT = 8,
    parameter DELAY = 0,
    parameter DELAY_LEAST = 1,
    parameter SUM = 20,
    parameter SHIFT = 0,
    parameter SLOTS = 2,
    parameter SLOT = 1,
    parameter PLACE = 8,
    parameter V = 24,
    parameter AGE = 11,
    parameter KIND = 1,
    parameter SUBTRACT = 1,
    parameter DECAY = 2,
    parameter RATE = 8,
    parameter FACTOR = 16,
    parameter COARSE = 6,
    parameter FINE = 6,
    parameter FINE_BITS = 6,
    parameter STEPS = 1,
    parameter DSP = 0
) (
    input  wire                clk,
    input  wire                rst,
    input  wire                in_valid,
    output wire                in_ready,
    input  wire [ARGUMENT+1:0] in_word,
    output wire                out_valid,
    input  wire                out_ready,
    output wire [ARGUMENT+1:0] out_word
);
    wire [CORES-1:0] to_valid, to_ready, said_valid, said_ready, told;
    wire ready;
    reg booted;                             // the cores' memories are cleared
    assign in_ready = ready && booted;
    always @(posedge clk) booted <= !rst && (booted || &told);
    wire [ROW:0] to_word;
    wire [CORES*(ROW+1)-1:0] said_word;

    router #(.CORES(CORES), .ROW(ROW), .ARGUMENT(ARGUMENT)) router (
        .clk(clk), .rst(rst), .in_valid(in_valid && booted), .in_ready(ready), .in_word(in_word),
        .out_valid(out_valid), .out_ready(out_ready), .out_word(out_word), .to_valid(to_valid), .to_ready(to_ready), .to_word(to_word),
        .said_valid(said_valid), .said_ready(said_ready), .said_word(said_word));

    genvar k;
    generate
        for (k = 0; k < CORES; k = k + 1) begin : each
            localparam BASE = BASES[32*k +: 32];
            localparam NEURONS = BASES[32*(k+1) +: 32] - BASE;
            localparam [7:0] TENS = "0" + k / 10, ONES = "0" + k % 10;
            wire go, say, heard, judged;
            wire [ARGUMENT+1:0] telling, saying;
            link #(.BASE(BASE), .ROW(ROW), .ARGUMENT(ARGUMENT)) link (
                .clk(clk), .rst(rst), .to_valid(to_valid[k]), .to_ready(to_ready[k]), .to_word(to_word), .in_valid(go),
                .in_ready(told[k]), .in_word(telling), .out_valid(say), .out_ready(heard), .out_word(saying),
                .judged(judged), .said_valid(said_valid[k]), .said_ready(said_ready[k]),
                .said_word(said_word[k*(ROW+1) +: ROW+1]));
            event_core #(.NEURONS(NEURONS), .NEURON(NEURON), .ROW(ROW), .SYNAPSE(SYNAPSE), .LENGTH(LENGTH),
                         .ARGUMENT(ARGUMENT), .WEIGHT(WEIGHT), .DELAY(DELAY), .DELAY_LEAST(DELAY_LEAST), .SUM(SUM),
                         .SHIFT(SHIFT), .SLOTS(SLOTS), .SLOT(SLOT), .PLACE(PLACE), .V(V), .AGE(AGE), .KIND(KIND),
                         .SUBTRACT(SUBTRACT), .DECAY(DECAY), .RATE(RATE), .FACTOR(FACTOR), .COARSE(COARSE),
                         .FINE(FINE), .FINE_BITS(FINE_BITS), .STEPS(STEPS), .DSP(DSP),
                         .ROWS({"rows", TENS, ONES, ".hex"}), .SYNAPSES({"synapses", TENS, ONES, ".hex"}),
                         .KINDS({"kinds", TENS, ONES, ".hex"})) core (
                .clk(clk), .rst(rst), .in_valid(go), .in_ready(told[k]), .in_word(telling), .out_valid(say),
                .out_ready(heard), .out_word(saying), .judged(judged));
        end
    endgenerate
endmodule
