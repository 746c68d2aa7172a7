CREATE TABLE "database_origin" (
	"one" boolean PRIMARY KEY DEFAULT true NOT NULL,
	"identity" text NOT NULL,
	"noted_at" timestamp (3) with time zone NOT NULL
);
--> statement-breakpoint
CREATE TABLE "database_restores" (
	"id" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "database_restores_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"noted_at" timestamp (3) with time zone NOT NULL,
	"identity" text NOT NULL,
	"reason" text NOT NULL,
	"last_seq" bigint NOT NULL,
	"blocks_resumed_at" timestamp (3) with time zone,
	"payments_resumed_at" timestamp (3) with time zone
);
--> statement-breakpoint
CREATE TABLE "actor_pruned" (
	"correlation_id" text PRIMARY KEY NOT NULL,
	"seq" bigint NOT NULL,
	"pruned_at" timestamp (3) with time zone NOT NULL,
	"emptied" boolean DEFAULT false NOT NULL
);
--> statement-breakpoint
CREATE INDEX "actor_pruned_seq" ON "actor_pruned" USING btree ("seq");--> statement-breakpoint
CREATE INDEX "actor_pruned_left" ON "actor_pruned" USING btree ("correlation_id") WHERE not "actor_pruned"."emptied";
--> statement-breakpoint
-- The journal and the queues of messages and claims take and lose rows all the time: a vacuum that waits for a fifth of a
-- table, or pauses while it works, comes too late for them.
ALTER TABLE "actor_transitions" SET (autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_threshold = 10000, autovacuum_vacuum_insert_scale_factor = 0.02, autovacuum_vacuum_insert_threshold = 100000, autovacuum_analyze_scale_factor = 0.02);--> statement-breakpoint
ALTER TABLE "actor_messages" SET (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000, autovacuum_vacuum_cost_delay = 0);--> statement-breakpoint
ALTER TABLE "actor_claims" SET (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000, autovacuum_vacuum_cost_delay = 0);--> statement-breakpoint
-- Their rows are written again and again without a change of what is indexed: with room in the page the new version stays
-- there, and no index hears of it.
ALTER TABLE "actor_counts" SET (fillfactor = 80);--> statement-breakpoint
ALTER TABLE "envelope_control" SET (fillfactor = 60);--> statement-breakpoint
ALTER TABLE "envelope_batch_status_for_cash" SET (fillfactor = 60);
