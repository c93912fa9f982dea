// fire: the far end of a visit in tick mode: spikes go out, to the front and to the world at once, and V to its memory.
//
// A neuron that its reset leaves at the threshold spikes again, up to its `most` spikes a tick, three clocks a spike.
module fire #(
    parameter NEURON = 8,
    parameter V = 24,
    parameter LEFT = 4,
    parameter KIND = 4,
    parameter SPIKES = 0                    // bits of the most spikes of a neuron at one tick; 0: it is one
) (
    input  wire                clk,
    input  wire                rst,
    input  wire                valid,
    output wire                pop,
    input  wire                spike,
    input  wire                again,
    input  wire                awake,
    input  wire [NEURON-1:0]   neuron,
    input  wire [KIND-1:0]     kind,
    input  wire signed [V-1:0] value,
    input  wire [LEFT-1:0]     left,
    input  wire                announce,    // say that a tick ends, before anything else
    output wire                announced,
    output wire                store,       // the visit is over
    output wire [NEURON-1:0]   store_neuron,
    output wire signed [V-1:0] store_value,
    output wire [LEFT-1:0]     store_left,
    output wire                store_awake,
    output wire                own_valid,
    input  wire                own_ready,
    output wire                out_valid,
    input  wire                out_ready,
    output wire                out_end,
    output wire [NEURON-1:0]   out_neuron
);
    localparam S = SPIKES > 0 ? SPIKES : 1;
    localparam FIRST = 3'd0, WAIT = 3'd1, LESS = 3'd2, COMPARE = 3'd3, AGAIN = 3'd4;
    wire [2:0] step;
    wire signed [V-1:0] kept;
    wire more;

    wire saying = !announce && valid && ((step == FIRST && spike) || step == AGAIN);
    wire said = saying && own_ready && out_ready;
    assign announced = announce && out_ready;
    assign own_valid = saying && out_ready;
    assign out_valid = announce || (saying && own_ready);
    assign out_end = announce;
    assign out_neuron = neuron;
    assign pop = valid && ((step == FIRST && !spike) || (step == FIRST && said && !again)
        || (said && step == AGAIN && !more));
    assign store = pop;
    assign store_neuron = neuron;
    assign store_value = step == FIRST ? value : kept;
    assign store_left = left;
    assign store_awake = awake;

    generate
        if (SPIKES > 0) begin : repeats
            reg [2:0] step_r;
            reg signed [V-1:0] kept_r;
            reg more_r;
            reg [S-1:0] told;
            wire unused_never, subtract;
            wire signed [V-1:0] bound, to;
            wire [S-1:0] most;
            wire [LEFT-1:0] unused_mask;
            rom #(.WIDTH(2 + V + V + S + LEFT), .ADDRESS(KIND), .FILE("limits.hex")) limits (
                .clk(clk), .enable_1(1'b1), .enable_2(1'b1), .address(kind),
                .word({unused_never, subtract, bound, to, most, unused_mask}));
            assign step = step_r;
            assign kept = kept_r;
            assign more = more_r;
            always @(posedge clk) begin
                case (step_r)
                    FIRST: if (said && again) step_r <= WAIT;
                    WAIT: step_r <= LESS;
                    LESS: step_r <= COMPARE;
                    COMPARE: step_r <= AGAIN;
                    default: if (said) step_r <= more_r ? LESS : FIRST;
                endcase
                if (step_r == FIRST) begin
                    kept_r <= value;
                    told <= 1;
                end
                if (step_r == LESS) begin
                    kept_r <= subtract ? kept_r + to : to;
                    told <= told + 1'b1;
                end
                if (step_r == COMPARE) more_r <= kept_r >= bound && told != most;
                if (rst) step_r <= FIRST;
            end
        end else begin : once
            wire unused = &{1'b0, clk, rst, kind, again};
            assign step = FIRST;
            assign kept = value;
            assign more = 0;
        end
    endgenerate
endmodule
