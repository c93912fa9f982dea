// ticks: what a tick does to each neuron that is awake or was reached, in ascending order, one visit per clock.
//
//   I := current.v, of each receptor that has one
//   V := sat(fade(V) + sum << SHIFT + bias + what the currents are worth)          while `left` is 0; else left - 1
//   V >= bound: a spike, V := to, or V + to with `subtract`;  left := mask
//   awake: anything moved, or it spiked, or is refractory: else a tick without input leaves it as it is, and it sleeps
//   tick 0 visits all neurons and gives them their V and I, which are judged
//
// A pipeline without a stall; visits start only when the queue to fire.v has room for them all.  Numbers in names are
// stages; A is where V and currents meet.
module ticks #(
    parameter NEURONS = 256,
    parameter NEURON = 8,
    parameter V = 24,
    parameter SUM = 20,
    parameter PORTS = 1,                    // sums of a neuron: {currents, direct}
    parameter DIRECT = 1,                   // port 0 goes straight into V
    parameter SHIFT = 0,
    parameter CURRENTS = 0,
    parameter I = 24,
    parameter I_SHIFT = 0,
    parameter KIND = 4,                     // bits of a neuron's kind: its parameters are those of its kind
    parameter LEFT = 4,
    parameter SPIKES = 0,                   // bits of the most spikes of a neuron at one tick; 0: it is one
    parameter ROUNDING = 0,
    parameter SATURATION = 0,
    parameter INPUT_FIRST = 0,
    parameter V_DECAY = 2,                  // see fade.v
    parameter V_RATE = 16,
    parameter V_FACTOR = 16,
    parameter V_NONE = 0,
    parameter V_MIN1 = 1,
    parameter I_DECAY = 2,
    parameter I_RATE = 16,
    parameter I_FACTOR = 16,
    parameter I_NONE = 0,
    parameter I_MIN1 = 1,
    parameter FALL = 0,                     // bits of a current's fall - FALL_LEAST
    parameter FALL_LEAST = 0,
    parameter DSP = 0,
    parameter PLACE = 8,
    parameter SLOT = 1,
    parameter DEEP = 6                      // 2^DEEP visits may be under way
) (
    input  wire              clk,
    input  wire              rst,
    input  wire              closed,        // pulse: a tick may be judged
    input  wire [SLOT-1:0]   slot,          // its slot, from the next clock on
    output reg               judged,        // pulse: it is
    output reg               all,           // it is tick 0
    input  wire              active_idle,
    input  wire              active_valid,
    output wire              active_ready,
    input  wire [NEURON-1:0] active_neuron,
    output wire              want,
    output wire              want_bank,
    output wire [PLACE-1:0]  want_place,
    input  wire              open,          // no synapse needs that bank in this clock
    input  wire [PORTS*SUM-1:0] sum,
    output reg               store,         // a visit is over
    output reg  [NEURON-1:0] store_neuron,
    output reg               store_awake,
    output wire              own_valid,     // a spike to the front
    input  wire              own_ready,
    output wire              out_valid,     // {0, neuron}: a spike; {1, 0}: the end of a tick, before its spikes
    input  wire              out_ready,
    output wire              out_end,
    output wire [NEURON-1:0] out_neuron
);
    localparam C = CURRENTS > 0 ? CURRENTS : 1;     // of vectors, so that none is empty
    localparam F = FALL > 0 ? FALL : 1;
    localparam S = SPIKES > 0 ? SPIKES : 1;
    localparam V_PRODUCT = DSP != 0 && V_RATE <= 16 ? 4 : 1 + (V_RATE + 1) / 2;
    localparam I_PRODUCT = DSP != 0 && I_RATE <= 16 ? 4 : 1 + (I_RATE + 1) / 2;
    localparam V_D = V_DECAY == 0 ? 1 : V_DECAY == 1 ? 3 : V_DECAY == 2 ? 4 + V_PRODUCT : 3 + V_RATE;
    localparam I_D = I_DECAY == 0 ? 1 : I_DECAY == 1 ? 3 : I_DECAY == 2 ? 4 + I_PRODUCT : 3 + I_RATE;
    localparam I_ALL = CURRENTS > 0 ? I_D + 4 + FALL : 0;
    localparam A = V_D > I_ALL ? V_D : I_ALL;       // clocks from stage 5 to stage A
    localparam B = CURRENTS + 1;                    // from there to the sum
    localparam WIDE = SUM + SHIFT > V ? SUM + SHIFT : V;
    localparam T = (WIDE > I ? WIDE : I) + 1 + $clog2(CURRENTS + 3);
    localparam EACH = 1 + I_RATE + F + I;           // of the dynamics, per current
    localparam DYNAMICS = CURRENTS * EACH + 1 + V_RATE + V + V;
    localparam LIMITS = 2 + V + V + S + LEFT;
    genvar k;

    // ------------------------------------------------------------------------------------------ control
    reg sweeping, announce;
    reg [DEEP:0] under_way;                 // visits
    reg room, left, gone;                   // counted a clock late
    reg v0;
    reg [NEURON-1:0] n0;
    wire leave0 = v0 && room && open;
    wire go0 = !v0 || leave0;
    wire announced, popped;
    wire done = sweeping && !announce && active_idle && !active_valid && !v0 && !left && under_way == 0;
    localparam [DEEP:0] MOST = (1 << DEEP) - 6;

    assign active_ready = go0;
    assign want = leave0;
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
        gone <= popped;
        under_way <= under_way + {{DEEP{1'b0}}, left} - {{DEEP{1'b0}}, gone};
        if (closed) begin
            sweeping <= 1;
            announce <= 1;
        end else begin
            if (done) sweeping <= 0;
            if (done) all <= 0;
            if (announced) announce <= 0;
        end
        if (go0) begin
            v0 <= active_valid && {1'b0, active_neuron} < NEURONS[NEURON:0];
            n0 <= active_neuron;
        end
        if (rst) begin
            all <= 1;
            sweeping <= 0;
            announce <= 0;
            under_way <= 0;
            room <= 0;
            left <= 0;
            gone <= 0;
            v0 <= 0;
            judged <= 0;
        end
    end

    // ------------------------------------------------------------------------------------------ 1, 2: memories
    wire [LEFT-1:0] left2;
    wire signed [V-1:0] v2;
    wire [C*I-1:0] i2;
    wire [KIND-1:0] kind2;
    reg signed [V-1:0] store_value;
    reg [LEFT-1:0] store_left;
    ram #(.WIDTH(LEFT + V), .ADDRESS(NEURON), .DEPTH(1 << NEURON), .LOOSE(1)) membranes (
        .clk(clk), .write(store), .write_address(store_neuron), .write_word({store_left, store_value}),
        .address(n0), .word({left2, v2}));
    rom #(.WIDTH(KIND), .ADDRESS(NEURON), .FILE("kinds.hex")) kinds (
        .clk(clk), .enable_1(1'b1), .enable_2(1'b1), .address(n0), .word(kind2));

    // ------------------------------------------------------------------------------------------ 3, 4: parameters
    wire [DYNAMICS-1:0] word4;
    rom #(.WIDTH(DYNAMICS), .ADDRESS(KIND), .FILE("dynamics.hex")) dynamics (
        .clk(clk), .enable_1(1'b1), .enable_2(1'b1), .address(kind2), .word(word4));
    wire none4 = word4[V_RATE+2*V];
    wire [V_RATE-1:0] rate4 = word4[2*V +: V_RATE];
    wire signed [V-1:0] bias4 = word4[V +: V];
    wire signed [V-1:0] init4 = word4[0 +: V];
    wire [LEFT-1:0] left4;
    wire signed [V-1:0] v4;
    later #(.WIDTH(LEFT + V), .LENGTH(2)) state (.clk(clk), .in_word({left2, v2}), .out_word({left4, v4}));

    // ------------------------------------------------------------------------------------------ 5 .. A: decay
    reg signed [V-1:0] v5, bias5;
    reg none5;
    reg [V_RATE-1:0] rate5;
    reg [LEFT-1:0] left5;
    wire [PORTS*SUM-1:0] sum5;
    wire signed [V-1:0] faded_a, v_a;
    wire [LEFT-1:0] left_a;
    wire [NEURON-1:0] n_a;
    wire [KIND-1:0] kind_a;
    wire reached_a;
    reg [4+A+B:0] valid_line;
    always @(posedge clk) begin
        v5 <= all ? init4 : v4;
        left5 <= all ? 0 : left4;
        none5 <= none4;
        rate5 <= rate4;
        bias5 <= bias4;
        valid_line <= rst ? 0 : {valid_line[3+A+B:0], leave0};
    end
    later #(.WIDTH(PORTS * SUM), .LENGTH(2)) sums (.clk(clk), .in_word(sum), .out_word(sum5));
    fade #(.DECAY(V_DECAY), .W(V), .RATE(V_RATE), .FACTOR(V_FACTOR), .ROUNDING(ROUNDING), .MIN1(V_MIN1), .NONE(V_NONE),
           .DSP(DSP), .LATENCY(A)) fade (.clk(clk), .x(v5), .none(none5), .rate(rate5), .y(faded_a));
    later #(.WIDTH(LEFT + V), .LENGTH(A)) unmoved (.clk(clk), .in_word({left5, v5}), .out_word({left_a, v_a}));
    later #(.WIDTH(NEURON), .LENGTH(5 + A)) who (.clk(clk), .in_word(n0), .out_word(n_a));
    later #(.WIDTH(KIND), .LENGTH(3 + A)) what (.clk(clk), .in_word(kind2), .out_word(kind_a));

    // what goes straight into V
    wire signed [T-1:0] input_a;
    reg signed [T-1:0] input6;
    later #(.WIDTH(T), .LENGTH(A - 1)) straight (.clk(clk), .in_word(input6), .out_word(input_a));
    generate
        if (DIRECT != 0) begin : direct
            wire signed [SUM-1:0] own5 = sum5[SUM-1:0];
            wire signed [T-1:0] wide5 = {{(T - SUM){own5[SUM-1]}}, own5} <<< SHIFT;
            always @(posedge clk) input6 <= {{(T - V){bias5[V-1]}}, bias5} + wide5;
            later #(.WIDTH(1), .LENGTH(A)) any (.clk(clk), .in_word(own5 != 0), .out_word(reached_a));
        end else begin : alone
            always @(posedge clk) input6 <= {{(T - V){bias5[V-1]}}, bias5};
            assign reached_a = 0;
        end
    endgenerate

    // ------------------------------------------------------------------------------------------ 5 .. A: currents
    localparam M = I_D + 3;                 // stage 5 + M has the new currents, and writes them
    wire store_i = CURRENTS > 0 && valid_line[4+M];
    wire [NEURON-1:0] n_m;
    wire [C*I-1:0] i_m;
    wire [C*T-1:0] worth_a;
    wire [C-1:0] moved_n;                   // one later
    wire moved_a;
    generate
        if (CURRENTS > 0) begin : currents
            wire [C*I-1:0] i4;
            later #(.WIDTH(C * I), .LENGTH(2)) i_state (.clk(clk), .in_word(i2), .out_word(i4));
            later #(.WIDTH(NEURON), .LENGTH(5 + M)) of (.clk(clk), .in_word(n0), .out_word(n_m));
            ram #(.WIDTH(C * I), .ADDRESS(NEURON), .DEPTH(1 << NEURON), .LOOSE(1)) kept (
                .clk(clk), .write(store_i), .write_address(n_m), .write_word(i_m), .address(n0), .word(i2));
            for (k = 0; k < C; k = k + 1) begin : each
                wire none_4;
                wire [I_RATE-1:0] rate_4;
                wire [F-1:0] fall_4;
                wire signed [I-1:0] init_4, worth;
                reg none_5;
                reg [I_RATE-1:0] rate_5;
                reg [F-1:0] fall_5;
                reg signed [I-1:0] i_5;
                assign {none_4, rate_4, fall_4, init_4} = word4[1 + V_RATE + 2*V + k*EACH +: EACH];
                always @(posedge clk) begin
                    none_5 <= none_4;
                    rate_5 <= rate_4;
                    fall_5 <= fall_4;
                    i_5 <= all ? init_4 : i4[k*I +: I];
                end
                current #(.W(I), .SUM(SUM), .SHIFT(I_SHIFT), .DECAY(I_DECAY), .RATE(I_RATE), .FACTOR(I_FACTOR),
                          .ROUNDING(ROUNDING),
                          .SATURATION(SATURATION), .INPUT_FIRST(INPUT_FIRST), .MIN1(I_MIN1), .NONE(I_NONE),
                          .FALL(FALL), .FALL_LEAST(FALL_LEAST), .DSP(DSP), .D(I_D)) current (
                    .clk(clk), .all(all), .i(i_5), .sum(sum5[(DIRECT+k)*SUM +: SUM]), .none(none_5), .rate(rate_5),
                    .fall(fall_5), .now(i_m[k*I +: I]), .moved(moved_n[k]), .worth(worth));
                // one clock later for each that is added before
                later #(.WIDTH(T), .LENGTH(A - I_ALL + k)) turn (
                    .clk(clk), .in_word({{(T - I){worth[I-1]}}, worth}), .out_word(worth_a[k*T +: T]));
            end
            later #(.WIDTH(1), .LENGTH(A - M - 1)) any (.clk(clk), .in_word(moved_n != 0), .out_word(moved_a));
        end else begin : none
            wire unused = &{1'b0, i2, worth_a, moved_n, store_i, n_m, i_m};
            assign i2 = 0;
            assign n_m = 0;
            assign i_m = 0;
            assign worth_a = 0;
            assign moved_n = 0;
            assign moved_a = 0;
        end
    endgenerate

    // ------------------------------------------------------------------------------------------ A .. B: the sum
    reg signed [T-1:0] total_1;
    wire [(CURRENTS+1)*T-1:0] total;
    assign total[T-1:0] = total_1;
    always @(posedge clk) total_1 <= {{(T - V){faded_a[V-1]}}, faded_a} + input_a;
    generate
        for (k = 0; k < CURRENTS; k = k + 1) begin : add
            // worth_a of current k is late by k clocks, and total_1 by one
            reg signed [T-1:0] total_k, worth_k;
            always @(posedge clk) begin
                worth_k <= worth_a[k*T +: T];
                total_k <= total[k*T +: T] + worth_k;
            end
            assign total[(k+1)*T +: T] = total_k;
        end
    endgenerate
    wire valid_b, reached_b, moved_b;
    wire [LEFT-1:0] left_b;
    wire signed [V-1:0] v_b;
    wire [NEURON-1:0] n_b;
    wire [KIND-1:0] kind_b;
    wire [V-1:0] value_b;
    assign valid_b = valid_line[4+A+B];
    later #(.WIDTH(2 + LEFT + V + NEURON), .LENGTH(B)) on (
        .clk(clk), .in_word({reached_a, moved_a, left_a, v_a, n_a}),
        .out_word({reached_b, moved_b, left_b, v_b, n_b}));
    later #(.WIDTH(KIND), .LENGTH(B)) kind_on (.clk(clk), .in_word(kind_a), .out_word(kind_b));
    held #(.T(T), .W(V), .SATURATION(SATURATION)) held (.x(total[CURRENTS*T +: T]), .y(value_b));

    // ------------------------------------------------------------------------------------------ c .. g: judge
    reg vc, vd, ve, vf, vg, still_c, still_d, still_e, awake_f, awake_g, keep_c, masked_c, masked_d;
    reg [LEFT-1:0] left_c, left_d, left_e, left_f, left_g, mask_e;
    reg [NEURON-1:0] nc, nd, ne, nf, ng;
    reg [KIND-1:0] kind_c, kind_d, kind_e, kind_f, kind_g;
    reg signed [V-1:0] value_c, old_c, value_d, value_e, value_f, value_g, bound_e, bound_f, less_e, to_e, after_f;
    reg over_e, subtract_e, spike_f, spike_g, again_g, many_e, many_f;
    wire never_d, subtract_d;
    wire signed [V-1:0] bound_d, to_d;
    wire [S-1:0] most_d;
    wire [LEFT-1:0] mask_d;
    rom #(.WIDTH(LIMITS), .ADDRESS(KIND), .FILE("limits.hex")) limits (
        .clk(clk), .enable_1(1'b1), .enable_2(1'b1), .address(kind_b),
        .word({never_d, subtract_d, bound_d, to_d, most_d, mask_d}));

    always @(posedge clk) begin
        {vc, vd, ve, vf, vg} <= rst ? 5'd0 : {valid_b, vc, vd, ve, vf};
        {nc, nd, ne, nf, ng} <= {n_b, nc, nd, ne, nf};
        {kind_c, kind_d, kind_e, kind_f, kind_g} <= {kind_b, kind_c, kind_d, kind_e, kind_f};
        // c
        value_c <= value_b;
        old_c <= v_b;
        keep_c <= all || left_b != 0;       // V stands still
        masked_c <= left_b != 0;
        left_c <= left_b == 0 ? 0 : left_b - 1'b1;
        still_c <= !reached_b && !moved_b && left_b == 0 && !all;
        // d
        value_d <= keep_c ? old_c : value_c;
        masked_d <= masked_c;
        left_d <= left_c;
        still_d <= still_c && value_c == old_c;
        // e
        value_e <= value_d;
        over_e <= value_d >= bound_d && !never_d && !masked_d;
        less_e <= value_d + to_d;
        to_e <= to_d;
        subtract_e <= subtract_d;
        bound_e <= bound_d;
        many_e <= SPIKES > 0 && most_d > 1;
        mask_e <= mask_d;
        left_e <= left_d;
        still_e <= still_d;
        // f
        value_f <= value_e;
        after_f <= subtract_e ? less_e : to_e;
        spike_f <= over_e;
        bound_f <= bound_e;
        many_f <= many_e;
        left_f <= over_e ? mask_e : left_e;
        awake_f <= over_e || !still_e;
        // g
        value_g <= spike_f ? after_f : value_f;
        spike_g <= spike_f;
        again_g <= spike_f && many_f && after_f >= bound_f;
        left_g <= left_f;
        awake_g <= awake_f;
    end

    // ------------------------------------------------------------------------------------------ out
    wire q_valid, q_spike, q_again, q_awake;
    wire [NEURON-1:0] q_neuron;
    wire [KIND-1:0] q_kind;
    wire signed [V-1:0] q_value;
    wire [LEFT-1:0] q_left;
    localparam Q = 3 + NEURON + KIND + V + LEFT;
    wire w_valid, w_ready;
    wire [Q-1:0] w_word;
    queue #(.WIDTH(Q), .DEEP(DEEP)) waiting (
        .clk(clk), .rst(rst), .push(vg), .in_word({spike_g, again_g, awake_g, ng, kind_g, value_g, left_g}),
        .valid(w_valid), .pop(w_valid && w_ready), .word(w_word));
    fifo #(.WIDTH(Q), .DEEP(1)) served (    // for time: what stalls a spike need not reach the queue in the same clock
        .clk(clk), .rst(rst), .in_valid(w_valid), .in_ready(w_ready), .in_word(w_word), .out_valid(q_valid),
        .out_ready(popped), .out_word({q_spike, q_again, q_awake, q_neuron, q_kind, q_value, q_left}));

    wire ended, ended_awake;
    wire [NEURON-1:0] ended_neuron;
    wire signed [V-1:0] ended_value;
    wire [LEFT-1:0] ended_left;
    always @(posedge clk) begin             // nobody reads before the next tick
        store <= ended && !rst;
        {store_neuron, store_awake, store_value, store_left} <= {ended_neuron, ended_awake, ended_value, ended_left};
    end

    fire #(.NEURON(NEURON), .V(V), .LEFT(LEFT), .KIND(KIND), .SPIKES(SPIKES)) fire (
        .clk(clk), .rst(rst), .valid(q_valid), .pop(popped), .spike(q_spike), .again(q_again), .awake(q_awake),
        .neuron(q_neuron), .kind(q_kind), .value(q_value), .left(q_left), .announce(announce), .announced(announced),
        .store(ended), .store_neuron(ended_neuron), .store_value(ended_value), .store_left(ended_left),
        .store_awake(ended_awake), .own_valid(own_valid), .own_ready(own_ready), .out_valid(out_valid),
        .out_ready(out_ready), .out_end(out_end), .out_neuron(out_neuron));
endmodule
