"""Jobs: the use cases, parameters in, a result out, without an orchestrator."""
