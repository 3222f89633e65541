// The worker behind media-bridge: orders in, what it says out, in order, to be waited for.
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

export class Worker {
  constructor(bridge, program, address = '127.0.0.1') {
    this.said = [];
    this.waiting = [];
    this.process = spawn(bridge, [program, address], { stdio: ['pipe', 'pipe', 'inherit'] });
    this.ended = new Promise((resolve) => this.process.on('exit', (code) => resolve(code)));
    createInterface({ input: this.process.stdout }).on('line', (line) => {
      this.said.push(JSON.parse(line));
      this.waiting = this.waiting.filter((look) => !look());
    });
  }

  order(what) {
    this.process.stdin.write(JSON.stringify(what) + '\n');
  }

  // The first message from `from` on that `test` likes.
  await(test, what, from = 0, ms = 10000) {
    return new Promise((resolve, reject) => {
      let at = from;
      const timer = setTimeout(() => reject(new Error(`waited ${ms} ms for ${what}`)), ms);
      const look = () => {
        for (; at < this.said.length; at++) {
          if (test(this.said[at])) {
            clearTimeout(timer);
            resolve(this.said[at]);
            return true;
          }
        }
        return false;
      };
      if (!look()) this.waiting.push(look);
    });
  }

  event(leg, event, from = 0) {
    return this.await((m) => m.kind === 'LEG_EVENT' && m.leg === leg && m.event === event, `event ${event} of leg ${leg}`, from);
  }

  async answer(order) {
    const from = this.said.length;
    this.order(order);
    const said = await this.await((m) => (m.kind === 'LEG_ANSWER' || m.kind === 'LEG_REFUSED') && m.leg === order.leg, 'an answer', from);
    if (said.kind === 'LEG_REFUSED') throw new Error(`refused: line ${said.line}: ${said.message}`);
    return said.answer;
  }

  end() {
    this.process.stdin.end();
    return this.ended;
  }
}
