// router_proof: between two cores and the world no spike is lost, invented or changed, and a tick ends for all at once.
//
// Spikes of one row, any, are counted where they go in and where they come out; what is in between is in a queue of two.
module router_proof (
    input wire       clk,
    input wire       rst,
    input wire       in_valid,
    input wire [3:0] in_word,
    input wire       out_ready,
    input wire [1:0] to_ready,
    input wire [1:0] said_valid,
    input wire [3:0] said_word
);
    wire in_ready, out_valid;
    wire [3:0] out_word;
    wire [1:0] to_valid, said_ready, to_word;
    router #(.CORES(2), .ROW(1), .ARGUMENT(2)) dut (
        .clk(clk), .rst(rst), .in_valid(in_valid), .in_ready(in_ready), .in_word(in_word), .out_valid(out_valid),
        .out_ready(out_ready), .out_word(out_word), .to_valid(to_valid), .to_ready(to_ready), .to_word(to_word),
        .said_valid(said_valid), .said_ready(said_ready), .said_word(said_word));
    (* anyconst *) reg row;
    wire given = in_valid && in_ready;
    wire told = out_valid && out_ready;
    wire [1:0] said = said_valid & said_ready;
    wire [1:0] heard = to_valid & to_ready;
    reg [4:0] in, out, said0, said1, heard0, heard1;                    // spikes of that row
    reg [4:0] asked, ended, over0, over1, out_ended;                    // ticks: from the world, to the cores, from each
    wire [4:0] from_world0 = heard0 - said1, from_world1 = heard1 - said0, waiting = in - from_world0;
    wire [4:0] outward = said0 + said1 - out, ticks_outward = ended - out_ended;
    reg past;
    initial past = 0;
    always @(posedge clk) begin
        past <= 1;
        if (!past) assume (rst);
        if (rst) begin
            {in, out, said0, said1, heard0, heard1} <= 0;
            {asked, ended, over0, over1, out_ended} <= 0;
        end else begin
            in <= in + (given && in_word[3:2] == 0 && in_word[0] == row);
            asked <= asked + (given && in_word[3:2] == 1 ? 1 : given && in_word[3:2] == 2 ? in_word[1:0] : 0);
            out <= out + (told && out_word[3:2] == 0 && out_word[0] == row);
            out_ended <= out_ended + (told && out_word[3:2] == 1);
            said0 <= said0 + (said[0] && said_word[1:0] == {1'b0, row});
            said1 <= said1 + (said[1] && said_word[3:2] == {1'b0, row});
            over0 <= over0 + (said[0] && said_word[1]);
            over1 <= over1 + (said[1] && said_word[3]);
            heard0 <= heard0 + (heard[0] && to_word == {1'b0, row});
            heard1 <= heard1 + (heard[1] && to_word == {1'b0, row});
            ended <= ended + (heard[0] && to_word[1]);
        end
        if (past && !rst) begin
            assert (from_world0 == from_world1);                        // the world's go to both or to none
            assert (waiting <= 2);
            assert (outward <= 2);
            assert (ticks_outward <= 2);
            assert (ended <= asked);
            assert (out_word[3:2] <= 1);
            if (to_word[1]) assert (heard[0] == heard[1]);
            if (heard[0] && to_word[1]) assert (over0 == ended && over1 == ended);  // all have said all
            if (over1 == ended) assert (over0 == ended);                // core by core
            if (|said && ended == 0) assert (0);                        // nobody speaks before the first tick
        end
    end
endmodule
