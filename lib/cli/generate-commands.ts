import type { Command } from 'commander';
import { examples, type Start } from './command-shape.ts';

/** The samples, each with its options as they are given: what they are is for the sample to say. */
export function addGenerate(program: Command, start: Start): void {
  const generate = program.command('generate').description('generate sample data');
  generate
    .command('retail')
    .description('write a star schema as CSV files: customers, products, transactions')
    .requiredOption('--out <dir>', 'the folder to write to')
    .option('--transactions <n>', 'sales (default: 20000)')
    .option('--customers <n>', 'customers (default: 500)')
    .option('--products <n>', 'products (default: 100)')
    .option('--files <n>', 'files of transactions (default: 4)')
    .option('--hot-share <fraction>', 'part of all sales that one customer makes (default: 0.05)')
    .option('--seed <n>', 'equal seeds give equal bytes (default: 42)')
    .addHelpText('after', examples('strata generate retail --out data --transactions 1000000 --files 16'))
    .action(async (options: Record<string, string>, command: Command) =>
      start(command, async (context) => (await import('./commands/generate.ts')).generate(context, 'retail', options)),
    );
  generate
    .command('hr')
    .description('write employees, their history, leave and messages, as CSV and JSON files')
    .requiredOption('--out <dir>', 'the folder to write to')
    .option('--employees <n>', 'employees (default: 1000)')
    .option('--years <list>', 'years of leave and messages (default: 2023,2024)')
    .option('--messages <n>', 'messages (default: 5000)')
    .option('--seed <n>', 'equal seeds give equal bytes (default: 42)')
    .addHelpText(
      'after',
      examples('strata generate hr --out data --employees 100000 --years 2023,2024 --messages 50000'),
    )
    .action(async (options: Record<string, string>, command: Command) =>
      start(command, async (context) => (await import('./commands/generate.ts')).generate(context, 'hr', options)),
    );
  generate
    .command('crypto')
    .description('write snapshots of coin markets as JSON files: markets, and the last of each day as closes')
    .requiredOption('--out <dir>', 'the folder to write to')
    .option('--coins <n>', 'coins in each snapshot (default: 200)')
    .option('--days <n>', 'days (default: 30)')
    .option('--interval <span>', 'between snapshots (default: 1h)')
    .option('--seed <n>', 'equal seeds give equal bytes (default: 42)')
    .addHelpText('after', examples('strata generate crypto --out data --coins 200 --days 30 --interval 1h'))
    .action(async (options: Record<string, string>, command: Command) =>
      start(command, async (context) => (await import('./commands/generate.ts')).generate(context, 'crypto', options)),
    );
  generate
    .command('sales')
    .description('write customers and their transactions, of which one customer makes many, as Parquet files by day')
    .requiredOption('--out <dir>', 'the folder to write to')
    .option('--customers <n>', 'customers (default: 1000)')
    .option('--transactions <n>', 'transactions, spread evenly over the days (default: 28000)')
    .option('--days <n>', 'days (default: 14)')
    .option('--files-per-day <n>', 'files of a day (default: 2)')
    .option('--hot-share <fraction>', 'part of all transactions that customer 0 makes, from noon on (default: 0.2)')
    .option('--null-amounts <fraction>', 'part without an amount (default: 0)')
    .option('--unknown-customers <fraction>', 'part of customers who are in no file (default: 0)')
    .option('--late <fraction>', 'part that happened on the day before its folder (default: 0)')
    .option('--format <format>', 'of transactions: parquet or csv (default: parquet)')
    .option('--seed <n>', 'equal seeds give equal bytes (default: 42)')
    .addHelpText(
      'after',
      examples(
        'strata generate sales --out data --customers 100000 --transactions 20000000 --files-per-day 120',
        'strata generate sales --out data --null-amounts 0.001 --unknown-customers 0.001 --late 0.01',
      ),
    )
    .action(async (options: Record<string, string>, command: Command) =>
      start(command, async (context) => (await import('./commands/generate.ts')).generate(context, 'sales', options)),
    );
}
