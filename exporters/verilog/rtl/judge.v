// judge: the far end of a sweep: spikes go out, to the front and to the world at once, and states go back to memory.
//
// A neuron that is still above its threshold after a reset by subtraction spikes again, three clocks a spike.
module judge #(
    parameter NEURON = 8,
    parameter V = 24,
    parameter AGE = 11,
    parameter KIND = 4,
    parameter SUBTRACT = 1
) (
    input  wire                clk,
    input  wire                rst,
    input  wire                valid,
    output wire                pop,
    input  wire                write,
    input  wire                spike,
    input  wire                again,
    input  wire [NEURON-1:0]   neuron,
    input  wire [KIND-1:0]     kind,
    input  wire signed [V-1:0] value,
    input  wire [AGE-1:0]      last,
    input  wire                announce,    // say that a tick ends, before anything else
    output wire                announced,
    output wire                store,
    output wire [NEURON-1:0]   store_neuron,
    output wire [V+AGE-1:0]    store_word,
    output wire                own_valid,
    input  wire                own_ready,
    output wire                out_valid,
    input  wire                out_ready,
    output wire                out_end,
    output wire [NEURON-1:0]   out_neuron
);
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
    assign pop = valid && ((step == FIRST && !spike) || (step == FIRST && said && !again) || (said && step == AGAIN && !more));
    assign store = pop && write;
    assign store_neuron = neuron;
    assign store_word = {step == FIRST ? value : kept, last};

    generate
        if (SUBTRACT != 0) begin : repeats
            reg [2:0] step_r;
            reg signed [V-1:0] kept_r;
            reg more_r;
            wire unused_never, unused_subtract;
            wire signed [V-1:0] theta, reset;
            wire [AGE-1:0] unused_mask;
            rom #(.WIDTH(2 + V + V + AGE), .ADDRESS(KIND), .FILE("limits.hex")) limits (
                .clk(clk), .enable_1(1'b1), .enable_2(1'b1), .address(kind),
                .word({unused_never, unused_subtract, theta, reset, unused_mask}));
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
                if (step_r == FIRST) kept_r <= value;
                if (step_r == LESS) kept_r <= kept_r - theta + reset;
                if (step_r == COMPARE) more_r <= kept_r >= theta;
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
