/** What is asked of whoever answers in a session. The last line of `history` is the one to answer. */
export interface Question {
  agentId: string;
  sessionId: string;
  history: { role: 'user' | 'assistant'; content: string }[];
}

/** Who answers. Sessions own this interface and know no agent; app.module says who stands behind it. */
export abstract class Answerer {
  abstract answer(question: Question): Promise<{ content: string; tokensUsed: number }>;
}
