// judge: the far end of a sweep: spikes go out, to the front and to the world at once, and states go back to memory.
//
// A neuron that is still above its threshold after a reset by subtraction spikes again, three clocks a spike.  One that spikes takes a clock more.
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
    localparam FIRST = 3'd0, WAIT = 3'd1, LESS = 3'd2, COMPARE = 3'd3, AGAIN = 3'd4, DONE = 3'd5;
    reg first, done;                        // the step is FIRST, DONE
    wire speaks;                            // it is AGAIN
    wire signed [V-1:0] kept;

    wire saying = !announce && valid && ((first && spike) || speaks);
    wire said = saying && own_ready && out_ready;
    assign announced = announce && out_ready;
    assign own_valid = saying && out_ready;
    assign out_valid = announce || (saying && own_ready);
    assign out_end = announce;
    assign out_neuron = neuron;
    // a visit that spiked leaves a clock after its last spike, so that what the world does is not in the queue's path
    assign pop = valid && ((first && !spike) || done);
    assign store = pop && write;
    assign store_neuron = neuron;
    assign store_word = {first ? value : kept, last};

    generate
        if (SUBTRACT != 0) begin : repeats
            reg [2:0] step, next;
            reg signed [V-1:0] kept_r;
            reg more;
            wire unused_never, unused_subtract;
            wire signed [V-1:0] theta, reset;
            wire [AGE-1:0] unused_mask;
            rom #(.WIDTH(2 + V + V + AGE), .ADDRESS(KIND), .FILE("limits.hex")) limits (
                .clk(clk), .enable_1(1'b1), .enable_2(1'b1), .address(kind),
                .word({unused_never, unused_subtract, theta, reset, unused_mask}));
            assign kept = kept_r;
            assign speaks = step == AGAIN;
            always @* begin
                next = step;
                case (step)
                    FIRST: if (said) next = again ? WAIT : DONE;
                    WAIT: next = LESS;
                    LESS: next = COMPARE;
                    COMPARE: next = AGAIN;
                    AGAIN: if (said) next = more ? LESS : DONE;
                    default: next = FIRST;
                endcase
            end
            always @(posedge clk) begin
                step <= next;
                first <= next == FIRST;
                done <= next == DONE;
                if (first) kept_r <= value;
                if (step == LESS) kept_r <= kept_r - theta + reset;
                if (step == COMPARE) more <= kept_r >= theta;
                if (rst) begin
                    step <= FIRST;
                    first <= 1;
                    done <= 0;
                end
            end
        end else begin : once
            wire unused = &{1'b0, kind, again};
            assign kept = value;
            assign speaks = 0;
            always @(posedge clk) begin
                first <= rst || !said;
                done <= !rst && said;
            end
        end
    endgenerate
endmodule
