<?php

declare(strict_types=1);

namespace Lending\Books;

use Lending\{Shelf, Clock as Time};
use function Lending\open_all;

const MAX_DAYS = 14;

interface Lender { public function lend(string $name): bool; }
trait Counts { private static int $count = 0; }
enum Level: string { case Low = 'low'; case High = 'high'; }

abstract class Loan extends Shelf implements Lender
{
    use Counts;

    public function __construct(private string $name) { parent::__construct($name); }

    public static function fetch(?string $name): static
    {
        foreach (open_all($name ?? '') as $item) {
            if ($item->days > MAX_DAYS && !$item->isOpen()) { static::$count++; }
        }
        return new static(trim($name));
    }

    abstract protected function price(int $days): int;
}

function run(array $names): array { return array_map(fn ($name) => Loan::fetch($name), $names); }

run(['a']);
