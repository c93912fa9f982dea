// sweep: what a tick does to each neuron that was touched, in ascending order; a neuron is visited once per tick.
//
//   visit   V := decay(V, age);  V := sat(V + sum << SHIFT);  V >= theta: a spike, V := reset or V - (theta - reset)
//   mask    a neuron whose `last` lies in the future is refractory: its sum is read, cleared and forgotten
//   scrub   first of each tick, one neuron more: a V that age has made 0 is written as 0, so that no age aliases
//   tick 0  visits all neurons and gives them their V
//
// A pipeline without a stall; visits start only when the queue to judge.v has room for them all.
// AGE: 2^(AGE-1) must exceed the decay's length + 2^NEURON + 2, and the longest mask + 1 (the writer sees to it).
module sweep #(
    parameter NEURONS = 256,
    parameter NEURON = 8,
    parameter V = 24,
    parameter AGE = 11,
    parameter SUM = 20,
    parameter SHIFT = 0,
    parameter KIND = 4,                     // bits of a neuron's kind: its parameters are those of its kind
    parameter SUBTRACT = 1,                 // some kind resets by subtraction
    parameter DECAY = 2,
    parameter RATE = 8,
    parameter FACTOR = 16,
    parameter COARSE = 6,
    parameter FINE = 6,
    parameter FINE_BITS = 6,
    parameter STEPS = 1,
    parameter DSP = 0,
    parameter PLACE = 8,
    parameter SLOT = 1, KINDS = "kinds.hex",
    parameter DEEP = 6                      // 2^DEEP visits may be under way
) (
    input  wire              clk,
    input  wire              rst,
    input  wire              closed,        // pulse: a tick may be judged
    input  wire [SLOT-1:0]   slot,          // its slot, from the next clock on
    output reg               judged,        // pulse: it is
    output reg               all,           // it is tick 0
    input  wire              touched_idle,
    input  wire              touched_valid,
    output wire              touched_ready,
    input  wire [NEURON-1:0] touched_neuron,
    output wire              want,
    output wire              want_bank,
    output wire [PLACE-1:0]  want_place,
    input  wire              open,          // no synapse needs that bank in this clock
    input  wire [SUM-1:0]    sum,
    output wire              own_valid,     // a spike to the front
    input  wire              own_ready,
    output wire              out_valid,     // {0, neuron}: a spike; {1, 0}: the end of a tick, before its spikes
    input  wire              out_ready,
    output wire              out_end,
    output wire [NEURON-1:0] out_neuron
);
    localparam SIZE = V - 1;
    localparam PRODUCT = DSP != 0 ? 4 : 1 + (FACTOR + 1) / 2;
    localparam D = DECAY == 0 ? 1 : DECAY == 1 ? AGE + 2 : 6 + 2 * PRODUCT;     // clocks of decay.v
    localparam TOTAL = (SUM + SHIFT > V ? SUM + SHIFT : V) + 1;
    localparam DYNAMICS = 1 + 2 + AGE + RATE + COARSE + FINE + V;
    localparam LIMITS = 2 + V + V + AGE;

    // ------------------------------------------------------------------------------------------ control
    reg [AGE-1:0] now;                      // of the tick that is judged
    reg sweeping, announce, scrub;
    reg [NEURON-1:0] scrubbed;
    reg [DEEP:0] under_way, pending;        // visits; those of neurons that were touched
    reg room, left, left_scrub, gone, gone_scrub;      // both are counted a clock late
    reg v0, scrub0;
    reg [NEURON-1:0] n0;
    wire leave0 = v0 && room && open;
    wire go0 = !v0 || leave0;
    wire take = touched_valid && !scrub && go0;
    wire announced, popped, popped_scrub;
    wire done = sweeping && !announce && !scrub && touched_idle && !touched_valid && !(v0 && !scrub0)
        && !(left && !left_scrub) && pending == 0;
    localparam [DEEP:0] MOST = (1 << DEEP) - 6;

    assign touched_ready = !scrub && go0;
    assign want = leave0 && !scrub0;
    assign want_bank = slot[0];
    generate
        if (PLACE > NEURON) begin : many
            assign want_place = {slot[SLOT-1:1], n0};
        end else begin : two
            assign want_place = n0;
        end
    endgenerate

    always @(posedge clk) begin
        judged <= done;
        room <= under_way < MOST;
        left <= leave0;
        left_scrub <= scrub0;
        gone <= popped;
        gone_scrub <= popped_scrub;
        under_way <= under_way + {{DEEP{1'b0}}, left} - {{DEEP{1'b0}}, gone};
        pending <= pending + {{DEEP{1'b0}}, left && !left_scrub} - {{DEEP{1'b0}}, gone && !gone_scrub};
        if (closed) begin
            sweeping <= 1;
            announce <= 1;
            now <= now + 1'b1;
            scrub <= !all;
        end else begin
            if (done) sweeping <= 0;
            if (done) all <= 0;
            if (announced) announce <= 0;
            if (scrub && go0) scrub <= 0;
            if (scrub && go0) scrubbed <= scrubbed + 1'b1;
        end
        if (go0) begin
            v0 <= scrub || (take && {1'b0, touched_neuron} < NEURONS[NEURON:0]);
            scrub0 <= scrub;
            n0 <= scrub ? scrubbed : touched_neuron;
        end
        if (rst) begin
            now <= {AGE{1'b1}};
            all <= 1;
            sweeping <= 0;
            announce <= 0;
            scrub <= 0;
            scrubbed <= 0;
            under_way <= 0;
            pending <= 0;
            room <= 0;
            left <= 0;
            gone <= 0;
            v0 <= 0;
            judged <= 0;
        end
    end

    // ------------------------------------------------------------------------------------------ 1, 2: memories
    wire [V+AGE-1:0] state2;
    wire [KIND-1:0] kind2;
    wire store;
    wire [NEURON-1:0] store_neuron;
    wire [V+AGE-1:0] store_word;
    ram #(.WIDTH(V + AGE), .ADDRESS(NEURON), .DEPTH(1 << NEURON)) state (
        .clk(clk), .write(store), .write_address(store_neuron), .write_word(store_word), .address(n0), .word(state2));
    rom #(.WIDTH(KIND), .ADDRESS(NEURON), .FILE(KINDS)) kinds (
        .clk(clk), .enable_1(1'b1), .enable_2(1'b1), .address(n0), .word(kind2));

    // ------------------------------------------------------------------------------------------ 3, 4: parameters, age
    wire none4;
    wire [1:0] step4;
    wire [AGE-1:0] length4;
    wire [RATE-1:0] rate4;
    wire [COARSE-1:0] coarse4;
    wire [FINE-1:0] fine4;
    wire signed [V-1:0] init4;
    rom #(.WIDTH(DYNAMICS), .ADDRESS(KIND), .FILE("dynamics.hex")) dynamics (
        .clk(clk), .enable_1(1'b1), .enable_2(1'b1), .address(kind2),
        .word({none4, step4, length4, rate4, coarse4, fine4, init4}));
    reg [AGE-1:0] age3, age4;
    reg signed [V-1:0] v3, v4;
    reg all3, all4;
    always @(posedge clk) begin
        age3 <= now - state2[AGE-1:0];
        age4 <= age3;
        v3 <= state2[V+AGE-1:AGE];
        v4 <= v3;
        all3 <= all;
        all4 <= all3;
    end

    // ------------------------------------------------------------------------------------------ 5: sign and size
    reg minus5, gone5, refused5, keep5, none5;
    reg [SIZE-1:0] size5;
    reg [AGE-1:0] age5;
    reg [RATE-1:0] rate5;
    reg [COARSE-1:0] coarse5;
    reg [FINE-1:0] fine5;
    reg [1:0] step5;
    wire signed [V-1:0] from4 = all4 ? init4 : v4;
    wire future4 = age4[AGE-1] || age4 == 0;
    wire old4 = !none4 && !age4[AGE-1] && age4 >= length4;
    always @(posedge clk) begin
        minus5 <= from4[V-1];
        size5 <= from4[V-1] ? -from4[V-2:0] : from4[V-2:0];
        gone5 <= old4 && !all4;
        refused5 <= future4 && !all4;
        keep5 <= none4 || old4;             // age makes no difference any more: a scrub may write
        none5 <= none4 || all4;
        age5 <= age4;
        rate5 <= rate4;
        coarse5 <= coarse4;
        fine5 <= fine4;
        step5 <= step4;
    end

    // ------------------------------------------------------------------------------------------ 6 .. 5+D: decay
    wire [SIZE-1:0] size_d;
    decay #(.KIND(DECAY), .V(SIZE), .AGE(AGE), .RATE(RATE), .FACTOR(FACTOR), .COARSE(COARSE), .FINE(FINE),
            .FINE_BITS(FINE_BITS), .STEPS(STEPS), .DSP(DSP), .LATENCY(D)) decayed (
        .clk(clk), .size(size5), .age(age5), .none(none5), .gone(gone5), .rate(rate5), .coarse_base(coarse5),
        .fine_base(fine5), .step(step5), .left(size_d));

    // beside it: who it is; from stage 1 (the sum from 3) to 5+D
    wire valid_d, scrub_d, minus_d, refused_d, keep_d;
    wire [NEURON-1:0] n_d;
    wire [SUM-1:0] sum_d;
    wire [KIND-1:0] kind_d;
    reg [4+D:0] valid_line;
    always @(posedge clk) valid_line <= rst ? 0 : {valid_line[3+D:0], leave0};
    assign valid_d = valid_line[4+D];
    later #(.WIDTH(NEURON + 1), .LENGTH(5 + D)) who (.clk(clk), .in_word({scrub0, n0}), .out_word({scrub_d, n_d}));
    later #(.WIDTH(SUM), .LENGTH(2 + D)) sums (.clk(clk), .in_word(sum), .out_word(sum_d));
    later #(.WIDTH(KIND), .LENGTH(3 + D)) kind (.clk(clk), .in_word(kind2), .out_word(kind_d));
    later #(.WIDTH(3), .LENGTH(D)) flags (
        .clk(clk), .in_word({minus5, refused5, keep5}), .out_word({minus_d, refused_d, keep_d}));

    // ------------------------------------------------------------------------------------------ a .. e: add, saturate, judge
    reg va, vb, vc, vd, ve, scrub_a, scrub_b, scrub_c, scrub_d1, scrub_e;
    reg write_a, write_b, write_c, write_d, write_e;
    reg [NEURON-1:0] na, nb, nc, nd, ne;
    reg [KIND-1:0] kind_a, kind_b, kind_c, kind_d1, kind_e;
    reg signed [V-1:0] value_a, value_c, value_d, value_e, less_d, reset_d;
    reg signed [SUM-1:0] sum_a;
    reg signed [TOTAL-1:0] total_b;
    reg over_d, subtract_d, spike_e, again_e;
    reg [AGE-1:0] mask_d, last_e;
    wire never_b, subtract_b;
    wire signed [V-1:0] theta_b, reset_b;
    wire [AGE-1:0] mask_b;
    reg never_c, subtract_c;
    reg signed [V-1:0] theta_c, theta_d, reset_c;
    reg [AGE-1:0] mask_c;
    rom #(.WIDTH(LIMITS), .ADDRESS(KIND), .FILE("limits.hex")) limits (
        .clk(clk), .enable_1(1'b1), .enable_2(1'b1), .address(kind_d),
        .word({never_b, subtract_b, theta_b, reset_b, mask_b}));
    wire signed [TOTAL-1:0] added = {{(TOTAL - SUM){sum_a[SUM-1]}}, sum_a};
    wire signed [TOTAL-1:0] moved = added <<< SHIFT;
    wire fits = total_b[TOTAL-1:V-1] == {(TOTAL - V + 1){total_b[TOTAL-1]}};
    wire [V-2:0] bottom = total_b[V-2:0] == 0 && total_b[TOTAL-1] ? {{(V - 2){1'b0}}, 1'b1} : total_b[V-2:0];

    always @(posedge clk) begin
        va <= valid_d && !rst;
        vb <= va && !rst;
        vc <= vb && !rst;
        vd <= vc && !rst;
        ve <= vd && !rst;
        {scrub_a, scrub_b, scrub_c, scrub_d1, scrub_e} <= {scrub_d, scrub_a, scrub_b, scrub_c, scrub_d1};
        {na, nb, nc, nd, ne} <= {n_d, na, nb, nc, nd};
        {kind_a, kind_b, kind_c, kind_d1, kind_e} <= {kind_d, kind_a, kind_b, kind_c, kind_d1};
        write_a <= !refused_d && (!scrub_d || keep_d);
        {write_b, write_c, write_d, write_e} <= {write_a, write_b, write_c, write_d};
        // a
        value_a <= minus_d ? -{1'b0, size_d} : {1'b0, size_d};
        sum_a <= scrub_d ? 0 : sum_d;
        // b
        total_b <= {{(TOTAL - V){value_a[V-1]}}, value_a} + moved;
        // c
        value_c <= fits ? {total_b[V-1], bottom} : {total_b[TOTAL-1], {(V - 2){!total_b[TOTAL-1]}}, 1'b1};
        {never_c, subtract_c, theta_c, reset_c, mask_c} <= {never_b, subtract_b, theta_b, reset_b, mask_b};
        // d
        value_d <= value_c;
        over_d <= value_c >= theta_c && !never_c && write_c && !scrub_c;
        less_d <= value_c - theta_c + reset_c;
        theta_d <= theta_c;
        reset_d <= reset_c;
        subtract_d <= subtract_c && SUBTRACT != 0;
        mask_d <= mask_c;
        // e
        value_e <= !over_d ? value_d : subtract_d ? less_d : reset_d;
        spike_e <= over_d;
        again_e <= over_d && subtract_d && less_d >= theta_d;
        last_e <= now + (over_d ? mask_d : {AGE{scrub_d1}});     // a scrub's: the tick before, which refuses nothing
    end

    // ------------------------------------------------------------------------------------------ out
    wire q_valid, q_scrub, q_write, q_spike, q_again;
    wire [NEURON-1:0] q_neuron;
    wire [KIND-1:0] q_kind;
    wire signed [V-1:0] q_value;
    wire [AGE-1:0] q_last;
    wire [KIND-1:0] kind_q = SUBTRACT != 0 ? kind_e : {KIND{1'b0}};     // judge.v wants it for repeated resets only
    queue #(.WIDTH(4 + NEURON + KIND + V + AGE), .DEEP(DEEP)) waiting (
        .clk(clk), .rst(rst), .push(ve), .in_word({scrub_e, write_e, spike_e, again_e, ne, kind_q, value_e, last_e}),
        .valid(q_valid), .pop(popped), .word({q_scrub, q_write, q_spike, q_again, q_neuron, q_kind, q_value, q_last}));
    assign popped_scrub = q_scrub;

    judge #(.NEURON(NEURON), .V(V), .AGE(AGE), .KIND(KIND), .SUBTRACT(SUBTRACT)) judge (
        .clk(clk), .rst(rst), .valid(q_valid), .pop(popped), .write(q_write), .spike(q_spike), .again(q_again),
        .neuron(q_neuron), .kind(q_kind), .value(q_value), .last(q_last), .announce(announce), .announced(announced),
        .store(store), .store_neuron(store_neuron), .store_word(store_word), .own_valid(own_valid),
        .own_ready(own_ready), .out_valid(out_valid), .out_ready(out_ready), .out_end(out_end),
        .out_neuron(out_neuron));
endmodule
