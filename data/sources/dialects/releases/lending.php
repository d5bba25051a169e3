<?php
declare(strict_types=1);
namespace Shop\Lending;

use Shop\Books\Book;
use Shop\Books\{Shelf, Index as Register};
use function Shop\Text\clean;
use function Shop\Text\{trim_all, pad as padded};
use const Shop\LIMIT;
use Shop\A, Shop\B as C;
use Countable;
require_once __DIR__ . '/setup.php';
require 'helpers.php';
include_once "more.php";

const MAX = 3, MIN = 1;
define('OTHER', 2);

#[Audited(by: "desk")]
interface Lender extends Countable { const KIND = 'x'; public function lend(int $days): Loan; }

trait Logs { abstract function where(): string; private static function log(string $text): void { error_log($text); } }

enum State: string implements HasText
{
    case Open = 'open';
    case Closed = 'closed';
    public function text(): string { return match ($this) { self::Open => 'o', self::Closed => 'c', default => throw new \LogicException() }; }
    public static function first(): self { return self::Open; }
}

final class Desk extends Base implements Lender
{
    use Logs, Counts { Logs::log as protected trace; }

    public const LIMIT = 5;
    private array $loans = [];
    public static int $count = 0;

    public function __construct(private readonly Clock $clock, protected ?Shelf $shelf = null) { parent::__construct($clock); }

    #[Route('/lend')]
    public function lend(int $days): Loan
    {
        if ($days > self::LIMIT && $this->count() > 0 || !$this->shelf) {
            throw new \RuntimeException('no');
        } elseif ($days === 1 and $days) {
            self::log('one');
        } else if ($days == 2) {
            static::trace('two');
        }
        for ($i = 0; $i < 3; $i++) { step($i); }
        foreach ($this->loans as $key => $loan) { $loan->check(); }
        while ($days > 3) { $days--; }
        do { $days++; } while ($days < 3);
        switch ($days) { case 1: one(); break; case 2: two(); break; default: more(); }
        try { \Shop\Text\shout($days); namespace\whisper(); } catch (A | B $e) { $e->getMessage(); } finally { end($days); }
        $twice = fn($x) => double($x);
        $thrice = function ($x) use ($twice) { return $twice($x); };
        $name = $days ?: 'none';
        $other = $days > 1 ? 'a' : 'b';
        $this->shelf?->first()?->open();
        $class = new class($days) extends Base { public function run() { return $this->go(); } };
        $made = new $class;
        $this->loans[0]->close();
        ($this->rule)($days);
        return Loan::of($days, ...$this->loans) ?? new Loan();
    }

    public function count(): int { return count($this->loans); }
    public static function create(): static { return new static(new Clock()); }
    abstract protected function hook();
}

function helper(int ...$numbers): int { function inner() { return 1; } return array_sum($numbers); }
if (!function_exists('late')) { function late() { return helper(1); } }
include_once("late.php");
require (('rules/loan.php'));
include(LENDING . 'none.php');
