//! One pass over a document: full RFC 8259 grammar, an explicit stack, no tree.

use super::fault::{SyntaxFault, What};
use super::swar::Digits;
use super::token::{at, literal, not_finite, number, skip_space, string};
use super::visit::{Form, Visitor};

/// Whether each open object or array is an object, the outermost first. Lives on the heap, so that
/// no depth can overflow the thread's stack; reused from document to document.
#[derive(Debug, Default)]
pub(crate) struct Stack {
    is_object: Vec<bool>,
}

impl Stack {
    /// Frees memory after an unusually deep document.
    pub(crate) fn shrink(&mut self, levels_max: usize) {
        self.is_object.truncate(levels_max);
        self.is_object.shrink_to(levels_max);
    }

    /// Sets the level `depth`, from 0.
    #[inline(always)]
    fn set(&mut self, depth: usize, is_object: bool) {
        match self.is_object.get_mut(depth) {
            Some(level) => *level = is_object,
            None => self.grow(depth, is_object),
        }
    }

    #[cold]
    #[inline(never)]
    fn grow(&mut self, depth: usize, is_object: bool) {
        self.is_object.resize(depth, false);
        self.is_object.push(is_object);
    }

    #[inline(always)]
    fn get(&self, depth: usize) -> bool {
        self.is_object.get(depth).copied().unwrap_or(false)
    }
}

/// The single pass. `doc` is valid UTF-8.
struct Scanner<'a, 's, V> {
    doc: &'a [u8],
    visitor: &'s mut V,
    stack: &'s mut Stack,
    depth: usize,
    depth_max: usize,
    depth_limit: usize,
    in_object: bool,
}

/// What follows a token.
enum Next {
    /// A value begins at the position, possibly after white space.
    Value,
    /// A value has just ended.
    After,
}

/// Scans a whole document from `start` on and returns its depth.
///
/// # Errors
/// The first fault.
#[inline(always)]
pub(crate) fn scan<'a, V: Visitor<'a>>(
    doc: &'a [u8],
    start: usize,
    depth_limit: usize,
    stack: &mut Stack,
    visitor: &mut V,
) -> Result<usize, SyntaxFault> {
    let mut scanner = Scanner { doc, visitor, stack, depth: 0, depth_max: 0, depth_limit, in_object: false };
    let end = scanner.document(start)?;
    let rest = skip_space(doc, end);
    if rest < doc.len() {
        let line_feed = doc.get(end..rest).is_some_and(|between| between.contains(&b'\n'));
        let opens = matches!(at(doc, rest), b'{' | b'[');
        return Err(SyntaxFault::new(
            if line_feed && opens { What::NextDocument } else { What::Trailing },
            rest,
        ));
    }
    Ok(scanner.depth_max)
}

impl<'a, V: Visitor<'a>> Scanner<'a, '_, V> {
    /// Scans the document's value and returns the position after it. Inlined, so that the scanner's own state is in
    /// registers.
    #[inline(always)]
    fn document(&mut self, mut pos: usize) -> Result<usize, SyntaxFault> {
        loop {
            let next;
            (next, pos) = self.value(skip_space(self.doc, pos))?;
            if matches!(next, Next::Value) {
                continue;
            }
            loop {
                if self.depth == 0 {
                    return Ok(pos);
                }
                let next;
                (next, pos) = self.after_value(skip_space(self.doc, pos))?;
                if matches!(next, Next::Value) {
                    break;
                }
            }
        }
    }

    /// Scans the beginning of a value, or all of a scalar. Strings and numbers are checked first: they are most of
    /// the values, and two branches that the processor predicts beat a jump table.
    #[inline(always)]
    fn value(&mut self, pos: usize) -> Result<(Next, usize), SyntaxFault> {
        let byte = at(self.doc, pos);
        if byte == b'"' {
            if let Some(end) = self.visitor.known_string(pos + 1, self.depth) {
                return Ok((Next::After, end));
            }
            let (text, end) = string(self.doc, pos + 1)?;
            self.visitor.string(text, self.depth);
            return Ok((Next::After, end));
        }
        if byte.is_ascii_digit() || byte == b'-' {
            if let Some(digits) = Digits::at(self.doc, pos) {
                self.visitor.digits(digits);
                return Ok((Next::After, pos + digits.len()));
            }
            let (end, form) = number(self.doc, pos)?;
            self.visitor.number(pos, end, form);
            return Ok((Next::After, end));
        }
        if matches!(byte, b'{' | b'[')
            && self.depth < self.depth_limit
            && let Some(end) = self.visitor.known_value(pos, self.depth)
        {
            self.depth_max = self.depth_max.max(self.depth + 1);
            return Ok((Next::After, end));
        }
        match byte {
            b'{' => self.open_object(pos),
            b'[' => self.open_array(pos),
            b'N' | b'I' => {
                let end = not_finite(self.doc, pos)?;
                self.visitor.number(pos, end, Form::Other);
                Ok((Next::After, end))
            }
            b't' | b'f' | b'n' => {
                let end = literal(self.doc, pos)?;
                self.visitor.literal(self.doc.get(pos..end).unwrap_or_default(), self.depth);
                Ok((Next::After, end))
            }
            _ => Err(SyntaxFault::new(What::Value, pos)),
        }
    }

    #[inline(always)]
    fn after_value(&mut self, pos: usize) -> Result<(Next, usize), SyntaxFault> {
        let byte = at(self.doc, pos);
        if self.in_object {
            match byte {
                b',' => Ok((Next::Value, self.key(skip_space(self.doc, pos + 1), What::Key)?)),
                b'}' => {
                    self.visitor.close_object(self.depth);
                    self.close();
                    Ok((Next::After, pos + 1))
                }
                _ => Err(SyntaxFault::new(What::CommaOrBrace, pos)),
            }
        } else {
            match byte {
                b',' => Ok((Next::Value, pos + 1)),
                b']' => {
                    self.visitor.close_array(self.depth);
                    self.close();
                    Ok((Next::After, pos + 1))
                }
                _ => Err(SyntaxFault::new(What::CommaOrBracket, pos)),
            }
        }
    }

    /// Scans a key and its colon.
    #[inline(always)]
    fn key(&mut self, pos: usize, expected: What) -> Result<usize, SyntaxFault> {
        if at(self.doc, pos) != b'"' {
            return Err(SyntaxFault::new(expected, pos));
        }
        let end = match self.visitor.known_key(pos + 1, self.depth) {
            Some((end, true)) => return Ok(end),
            Some((end, false)) => end,
            None => self.other_key(pos)?,
        };
        let colon = skip_space(self.doc, end);
        if at(self.doc, colon) == b':' { Ok(colon + 1) } else { Err(SyntaxFault::new(What::Colon, colon)) }
    }

    #[inline(always)]
    fn other_key(&mut self, pos: usize) -> Result<usize, SyntaxFault> {
        let (key, end) = string(self.doc, pos + 1)?;
        self.visitor.key(key, self.depth);
        Ok(end)
    }

    #[inline(always)]
    fn open_object(&mut self, pos: usize) -> Result<(Next, usize), SyntaxFault> {
        self.open(pos, true)?;
        self.visitor.open_object(pos, self.depth);
        let pos = skip_space(self.doc, pos + 1);
        if at(self.doc, pos) == b'}' {
            self.visitor.close_object(self.depth);
            self.close();
            return Ok((Next::After, pos + 1));
        }
        Ok((Next::Value, self.key(pos, What::FirstKey)?))
    }

    #[inline(always)]
    fn open_array(&mut self, pos: usize) -> Result<(Next, usize), SyntaxFault> {
        self.open(pos, false)?;
        self.visitor.open_array(self.depth);
        let pos = skip_space(self.doc, pos + 1);
        if at(self.doc, pos) == b']' {
            self.visitor.close_array(self.depth);
            self.close();
            return Ok((Next::After, pos + 1));
        }
        Ok((Next::Value, pos))
    }

    #[inline(always)]
    fn open(&mut self, pos: usize, is_object: bool) -> Result<(), SyntaxFault> {
        if self.depth >= self.depth_limit {
            return Err(SyntaxFault::new(What::Depth(self.depth_limit), pos));
        }
        self.stack.set(self.depth, self.in_object);
        self.in_object = is_object;
        self.depth += 1;
        self.depth_max = self.depth_max.max(self.depth);
        Ok(())
    }

    #[inline(always)]
    fn close(&mut self) {
        self.depth -= 1;
        self.in_object = self.stack.get(self.depth);
    }
}
